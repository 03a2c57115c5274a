/**
 * @module Which keys a query may see, as additive masks of blocks of queries: a window of W costs length x W and not length squared. Layers of
 * one transformer share them.
 */
import { type QueryBlock, queryBlocks } from '../blt/index.js';
import { fuse, tf } from '../engine/index.js';

/** Added to the score of a key that a query may not see: its weight after the softmax is 0, and no infinity meets another. */
export const MASKED_SCORE = -1e9;

interface MaskedBlock extends QueryBlock {
  /**
   * [rows, 1, to - from, to - firstKey], 0 where visible and -1e9 elsewhere; shared by the layers. Null for rows of one document each: those
   * masks are made when they are needed, since all together would grow with the square of the length.
   */
  readonly mask: tf.Tensor | null;
}

/** The blocks of one sequence length, window and document layout, shared by all layers that have them. */
export interface AttentionPlan {
  readonly rows: number;
  readonly length: number;
  /** Query heads a key-value head. */
  readonly repeat: number;
  /** Keys a query sees, itself included. */
  readonly window: number;
  readonly blocks: readonly MaskedBlock[];
}

export interface AttentionShape {
  readonly rows: number;
  readonly length: number;
  /** Keys a query sees, itself included; null is all before it (blt-format 1.4). */
  readonly window: number | null;
  readonly repeat: number;
  /** Keys that precede the first query (default 0); only for rows of one document each. */
  readonly before?: number;
  /** Document of each position, int32 [rows, length]; a query sees its own document only. Null: one document a row. */
  readonly documents: tf.Tensor | null;
}

/** 0 where a key is visible, -1e9 elsewhere. */
function additive(visible: tf.Tensor): tf.Tensor {
  return tf.mul(tf.cast(tf.logicalNot(visible), 'float32'), MASKED_SCORE);
}

/** Which keys are neither later than a query nor out of its window, [queries, keys]. */
function nearKeys({ from, to, firstKey }: QueryBlock, window: number): tf.Tensor {
  const distance = tf.sub(
    tf.reshape(tf.range(from, to, 1, 'int32'), [to - from, 1]),
    tf.reshape(tf.range(firstKey, to, 1, 'int32'), [1, to - firstKey]),
  );
  return tf.logicalAnd(tf.greaterEqual(distance, 0), tf.less(distance, window));
}

const keyOf = ({ from, to, firstKey }: QueryBlock, window: number) => `mask ${from} ${to} ${firstKey} ${window}`;

/** The mask of a block of rows that are one document each, [1, 1, queries, keys]. */
function plainMask(block: QueryBlock, window: number): tf.Tensor {
  const shape = [1, 1, block.to - block.from, block.to - block.firstKey];
  return fuse(keyOf(block, window), [], () => [tf.reshape(additive(nearKeys(block, window)), shape)])[0]!;
}

/** The mask of a block of rows with several documents, [rows, 1, queries, keys]. */
function documentMask(block: QueryBlock, window: number, documents: tf.Tensor): tf.Tensor {
  const { from, to, firstKey } = block;
  const rows = documents.shape[0]!;
  const [queries, keys] = [to - from, to - firstKey];
  const [mask] = fuse(`${keyOf(block, window)} of documents`, [documents], (ids) => {
    const ofQueries = tf.reshape(tf.slice(ids, [0, from], [rows, queries]), [rows, queries, 1]);
    const ofKeys = tf.reshape(tf.slice(ids, [0, firstKey], [rows, keys]), [rows, 1, keys]);
    const near = tf.reshape(nearKeys(block, window), [1, queries, keys]);
    return [tf.reshape(additive(tf.logicalAnd(tf.equal(ofQueries, ofKeys), near)), [rows, 1, queries, keys])];
  });
  return mask!;
}

/** Cuts a sequence into query blocks of one size, the last a little shorter, and makes their masks. */
export function attentionPlan(shape: AttentionShape): AttentionPlan {
  const { rows, length, repeat, before = 0, documents } = shape;
  const window = shape.window ?? before + length;
  const blocks = queryBlocks(length, window, before).map((block) => ({
    ...block,
    mask: documents === null ? null : documentMask(block, window, documents),
  }));
  return { rows, length, repeat, window, blocks };
}

/** The additive mask of a block: the plan's, or one made for this use. */
export function keysMask(block: MaskedBlock, { window }: AttentionPlan): tf.Tensor {
  return block.mask ?? plainMask(block, window);
}
