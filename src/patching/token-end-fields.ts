/** @module Where the source's tokens end, as fields of a batch: the targets of an aligned patcher. No TensorFlow. */
import { decodeBytes, EOS } from '../blt/index.js';
import type { PackedRow } from '../data/index.js';
import type { SourceTokenizer } from '../tokenizer/index.js';
import type { Arrays, TokenEndFields } from './batch.js';
import { tokenEnds } from './token-ends.js';

/** The token ends of packed rows of equal length. They are unknown for the last token of a document that the end of its row may have cut. */
export function tokenEndFields(rows: readonly PackedRow[], tokenizer: SourceTokenizer): TokenEndFields<Arrays> {
  const length = rows[0]!.ids.length;
  const ends = new Float32Array(rows.length * length);
  const weights = new Float32Array(rows.length * length);
  rows.forEach(({ ids, targets, documents }, row) => {
    for (const { start, end } of documents) {
      const hasEnd = ids[end - 1] === EOS;
      const bytes = decodeBytes(ids.subarray(start + 1, hasEnd ? end - 1 : end));
      const isCut = !hasEnd && targets[end - 1] !== EOS;
      const found = tokenEnds(bytes, isCut, tokenizer);
      ends.set(found.ends, row * length + start + 1);
      weights.set(found.known, row * length + start + 1);
    }
  });
  return { tokenEnds: ends, tokenEndWeights: weights };
}
