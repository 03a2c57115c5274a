/** @module The printable stand-ins of bytes in byte-level BPE vocabularies (GPT-2's table), both ways. */

/** Printable Latin-1 characters stand for their own bytes; the other bytes take the characters from U+0100 on, in order. */
function standsForItself(byte: number): boolean {
  return (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
}

/** Character of each byte. */
export const BYTE_CHARACTERS: readonly string[] = (() => {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(standsForItself(byte) ? byte : next++));
})();

/** Byte of each such character. */
export const CHARACTER_BYTES: ReadonlyMap<string, number> = new Map(
  BYTE_CHARACTERS.map((character, byte) => [character, byte]),
);

/** The UTF-8 of a text, each byte as its character. */
export const byteCharacters = (text: string): string =>
  Array.from(new TextEncoder().encode(text), (byte) => BYTE_CHARACTERS[byte]!).join('');
