/** @module Reads text as a Llama's tokens. No TensorFlow. */
import type { Alphabet } from '../../data/index.js';
import { canonicalTokens } from '../../patching/index.js';
import { loadTokenizer } from '../../tokenizer/index.js';

/** Plain values, which can be sent to another thread. */
export interface TokenIds {
  /** The folder of the tokenizer. */
  readonly folder: string;
  readonly bos: number;
  readonly eos: number;
}

/** Text that the tokens do not spell is left out. @throws ByteifyError when the tokenizer cannot be read */
export async function tokenAlphabet({ folder, bos, eos }: TokenIds): Promise<Alphabet> {
  const tokenizer = await loadTokenizer(folder);
  return {
    ...{ bos, eos, padding: eos },
    read: (chunk) => Int32Array.from(canonicalTokens(chunk, tokenizer) ?? [], ({ id }) => id),
    byteCount: (ids) => ids.reduce((sum, id) => sum + tokenizer.tokenBytes(id).length, 0),
  };
}
