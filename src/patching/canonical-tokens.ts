/** @module A text as the source's own tokenizer cuts it. No TensorFlow. */
import type { SourceTokenizer } from '../tokenizer/index.js';

export interface CanonicalToken {
  readonly id: number;
  /** Bytes at the token's beginning that are no bytes of the text: 1 where the tokenizer puts a space before every text. */
  readonly added: number;
  /** Bytes of the text that the token is: 0 for one that is nothing but that space. */
  readonly length: number;
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const SPACE = 0x20;

/**
 * The tokens of a text; their lengths sum to its bytes. Null where they do not spell it: SentencePiece takes the letter ▁ for a space.
 * @param bytes valid UTF-8.
 */
export function canonicalTokens(bytes: Uint8Array, tokenizer: SourceTokenizer): CanonicalToken[] | null {
  const ids = tokenizer.encode(UTF8.decode(bytes));
  const parts = ids.map((id) => tokenizer.tokenBytes(id));
  const spelled = Buffer.concat(parts);
  const added = spelled.length - bytes.length;
  const isText = added === 0 || (added === 1 && spelled[0] === SPACE);
  if (!isText || !spelled.subarray(added).equals(bytes)) return null;
  return ids.map((id, i) => {
    const before = i === 0 ? added : 0;
    return { id, added: before, length: parts[i]!.length - before };
  });
}
