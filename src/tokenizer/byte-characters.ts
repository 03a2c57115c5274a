/** @module The characters that represent bytes in byte-level BPE vocabularies (GPT-2's table), in both directions. */

/** Printable Latin-1 characters represent their own bytes; the other bytes use the characters from U+0100 on, in order. */
function standsForItself(byte: number): boolean {
  return (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
}

/** The character of each byte. */
export const BYTE_CHARACTERS: readonly string[] = (() => {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(standsForItself(byte) ? byte : next++));
})();

/** The byte of each such character. */
export const CHARACTER_BYTES: ReadonlyMap<string, number> = new Map(
  BYTE_CHARACTERS.map((character, byte) => [character, byte]),
);

/** The UTF-8 bytes of a text, each as its character. */
export const byteCharacters = (text: string): string =>
  Array.from(new TextEncoder().encode(text), (byte) => BYTE_CHARACTERS[byte]!).join('');
