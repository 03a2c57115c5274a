/**
 * @module Which keys a query may attend to, as additive masks per block of queries: a window of W keys costs length x W instead of length
 * squared. The layers of a transformer share the masks.
 */
import { type QueryBlock, queryBlocks } from '../blt/index.js';
import { fuse, tf } from '../engine/index.js';

/** Added to the score of a masked key. Its weight after the softmax is 0; a finite value avoids infinity minus infinity. */
export const MASKED_SCORE = -1e9;

interface MaskedBlock extends QueryBlock {
  /**
   * [rows, 1, to - from, to - firstKey]: 0 for visible keys and -1e9 for others, shared by the layers. Null for rows of one document each:
   * those masks are built on use, because together they would take memory proportional to the square of the length.
   */
  readonly mask: tf.Tensor | null;
}

/** The query blocks of one sequence length, window and document layout. */
export interface AttentionPlan {
  readonly rows: number;
  readonly length: number;
  /** Query heads per key-value head. */
  readonly repeat: number;
  /** Number of keys that a query sees, including its own. */
  readonly window: number;
  readonly blocks: readonly MaskedBlock[];
}

export interface AttentionShape {
  readonly rows: number;
  readonly length: number;
  /** Number of keys that a query sees, including its own; null for all earlier ones (blt-format 1.4). */
  readonly window: number | null;
  /** Query heads per key-value head. */
  readonly repeat: number;
  /** Number of keys before the first query (default 0); only for rows of one document each. */
  readonly before?: number;
  /** The document of each position, int32 [rows, length]: a query sees only its own document. Null if each row is one document. */
  readonly documents: tf.Tensor | null;
}

/** 0 where a key is visible, -1e9 elsewhere. */
function additive(visible: tf.Tensor): tf.Tensor {
  return tf.mul(tf.cast(tf.logicalNot(visible), 'float32'), MASKED_SCORE);
}

/** Whether a key is neither later than a query nor outside its window, bool [queries, keys]. */
function nearKeys({ from, to, firstKey }: QueryBlock, window: number): tf.Tensor {
  const distance = tf.sub(
    tf.reshape(tf.range(from, to, 1, 'int32'), [to - from, 1]),
    tf.reshape(tf.range(firstKey, to, 1, 'int32'), [1, to - firstKey]),
  );
  return tf.logicalAnd(tf.greaterEqual(distance, 0), tf.less(distance, window));
}

const keyOf = ({ from, to, firstKey }: QueryBlock, window: number) => `mask ${from} ${to} ${firstKey} ${window}`;

/** The mask of a block if each row is one document: [1, 1, queries, keys]. */
function plainMask(block: QueryBlock, window: number): tf.Tensor {
  const shape = [1, 1, block.to - block.from, block.to - block.firstKey];
  return fuse(keyOf(block, window), [], () => [tf.reshape(additive(nearKeys(block, window)), shape)])[0]!;
}

/** The mask of a block if rows contain several documents: [rows, 1, queries, keys]. */
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

/** Splits a sequence into query blocks of equal size (the last may be shorter), and builds their masks. */
export function attentionPlan(shape: AttentionShape): AttentionPlan {
  const { rows, length, repeat, before = 0, documents } = shape;
  const window = shape.window ?? before + length;
  const blocks = queryBlocks(length, window, before).map((block) => ({
    ...block,
    mask: documents === null ? null : documentMask(block, window, documents),
  }));
  return { rows, length, repeat, window, blocks };
}

/** The additive mask of a block: the plan's, or a newly built one. */
export function keysMask(block: MaskedBlock, { window }: AttentionPlan): tf.Tensor {
  return block.mask ?? plainMask(block, window);
}
