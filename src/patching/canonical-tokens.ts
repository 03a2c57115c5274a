/** @module The canonical tokens of a text: those that the source's tokenizer makes of it. No TensorFlow. */
import type { SourceTokenizer } from '../tokenizer/index.js';

export interface CanonicalToken {
  readonly id: number;
  /** Bytes at the beginning of the token that are not in the text: 1 if the tokenizer puts a space before every text. */
  readonly added: number;
  /** Bytes of the text in the token: 0 if the token is only that space. */
  readonly length: number;
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const SPACE = 0x20;

/**
 * The tokens of a text, whose lengths sum to its byte count. Null if they do not spell it: for example, SentencePiece reads the letter ▁ as a
 * space.
 * @param bytes valid UTF-8
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
