/**
 * @module SentencePiece's compiled normalization rules (`precompiled_charsmap`): a double-array trie of texts (darts-clone) and
 * their replacements. Equivalent to the Rust crate spm_precompiled.
 */

/** Applies the rules to a text. */
export type Charsmap = (text: string) => string;

/** Longer graphemes are replaced character by character. */
const LONGEST_GRAPHEME_BYTES = 5;

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
const utf8 = new TextDecoder();

/** The bit fields of a unit of the trie, as in darts-clone. */
const hasLeaf = (unit: number) => ((unit >>> 8) & 1) === 1;
const leafValue = (unit: number) => unit & 0x7fff_ffff;
const labelOf = (unit: number) => (unit & 0x8000_00ff) >>> 0;
const offsetOf = (unit: number) => ((unit >>> 10) << ((unit & 0x200) >>> 6)) >>> 0;

/** Decodes a `precompiled_charsmap`; null if it is malformed. */
export function charsmapOf(base64: string): Charsmap | null {
  const bytes = Buffer.from(base64, 'base64');
  const trieBytes = bytes.length < 4 ? 0 : bytes.readUInt32LE(0);
  if (trieBytes === 0 || trieBytes % 4 !== 0 || 4 + trieBytes > bytes.length) return null;
  const trie = Uint32Array.from({ length: trieBytes / 4 }, (_, i) => bytes.readUInt32LE(4 + 4 * i));
  const replacements = bytes.subarray(4 + trieBytes);

  /** The value of the shortest text in the trie that is a prefix of `key`; null for none. */
  function find(key: Uint8Array): number | null {
    let at = offsetOf(trie[0]!);
    for (const byte of key) {
      if (byte === 0) return null;
      at ^= byte;
      const unit = trie[at];
      if (unit === undefined || labelOf(unit) !== byte) return null;
      at ^= offsetOf(unit);
      if (hasLeaf(unit)) return leafValue(trie[at] ?? 0);
    }
    return null;
  }

  function replacementOf(text: string): string | null {
    const start = find(Buffer.from(text));
    if (start === null) return null;
    const end = replacements.indexOf(0, start);
    return utf8.decode(replacements.subarray(start, end < 0 ? replacements.length : end));
  }

  return (text) =>
    Array.from(graphemes.segment(text), ({ segment }) => {
      const whole = Buffer.byteLength(segment) <= LONGEST_GRAPHEME_BYTES ? replacementOf(segment) : null;
      return whole ?? Array.from(segment, (character) => replacementOf(character) ?? character).join('');
    }).join('');
}
