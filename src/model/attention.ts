/** @module Causal self-attention in blocks of queries, so that a window of W costs length x W and not length squared. */
import { attend, fuse, tf } from '../engine/index.js';

/** Queries of one block. Smaller blocks skip more of what a query cannot see; larger ones make larger products. */
const LARGEST_BLOCK = 256;

/** Queries [from, to) and the keys [firstKey, to) that any of them may see. */
interface QueryBlock {
  readonly from: number;
  readonly to: number;
  readonly firstKey: number;
  /** [1 or rows, 1, to - from, to - firstKey], 0 where visible and -1e9 elsewhere. */
  readonly mask: tf.Tensor;
}

/** The blocks of one sequence length, window and document layout, shared by all layers that have them. */
export interface AttentionPlan {
  readonly rows: number;
  readonly length: number;
  /** Query heads a key-value head. */
  readonly repeat: number;
  readonly blocks: readonly QueryBlock[];
}

export interface AttentionShape {
  readonly rows: number;
  readonly length: number;
  /** Keys a query sees, itself included; null is all before it (blt-format 1.4). */
  readonly window: number | null;
  readonly repeat: number;
  /** Document of each position, int32 [rows, length]; a query sees its own document only. Null: one document a row. */
  readonly documents: tf.Tensor | null;
}

const HIDDEN = -1e9;

function maskOf(shape: AttentionShape, from: number, to: number, firstKey: number): tf.Tensor {
  const { rows, length, documents } = shape;
  const window = shape.window ?? length;
  const [queries, keys] = [to - from, to - firstKey];
  const additive = (visible: tf.Tensor) => tf.mul(tf.cast(tf.logicalNot(visible), 'float32'), HIDDEN);
  const near = () => {
    const distance = tf.sub(
      tf.reshape(tf.range(from, to, 1, 'int32'), [queries, 1]),
      tf.reshape(tf.range(firstKey, to, 1, 'int32'), [1, keys]),
    );
    return tf.logicalAnd(tf.greaterEqual(distance, 0), tf.less(distance, window));
  };
  const key = `mask ${from} ${to} ${firstKey} ${window}`;
  if (documents === null) return tf.reshape(fuse(key, [], () => [additive(near())])[0]!, [1, 1, queries, keys]);
  const [mask] = fuse(`${key} of documents`, [documents], (ids) => {
    const ofQueries = tf.reshape(tf.slice(ids, [0, from], [rows, queries]), [rows, queries, 1]);
    const ofKeys = tf.reshape(tf.slice(ids, [0, firstKey], [rows, keys]), [rows, 1, keys]);
    const visible = tf.logicalAnd(tf.equal(ofQueries, ofKeys), tf.reshape(near(), [1, queries, keys]));
    return [tf.reshape(additive(visible), [rows, 1, queries, keys])];
  });
  return mask!;
}

/** Cuts a sequence into query blocks of one size, the last a little shorter, and makes their masks. */
export function attentionPlan(shape: AttentionShape): AttentionPlan {
  const { rows, length, repeat, window } = shape;
  const size = Math.ceil(length / Math.ceil(length / LARGEST_BLOCK));
  const blocks: QueryBlock[] = [];
  for (let from = 0; from < length; from += size) {
    const to = Math.min(length, from + size);
    const firstKey = window === null ? 0 : Math.max(0, from - window + 1);
    blocks.push({ from, to, firstKey, mask: maskOf(shape, from, to, firstKey) });
  }
  return { rows, length, repeat, blocks };
}

function cut(x: tf.Tensor, from: number, to: number): tf.Tensor {
  const [rows, heads, length, headDim] = x.shape as [number, number, number, number];
  return from === 0 && to === length ? x : tf.slice(x, [0, 0, from, 0], [rows, heads, to - from, headDim]);
}

/**
 * q [rows, heads, length, d] (scaled), k and v [rows, kvHeads, length, d] -> [rows, heads, length, d].
 * The query heads of one key-value head are stacked as extra query rows, so keys and values are never repeated.
 */
export function selfAttention(q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, plan: AttentionPlan): tf.Tensor {
  const [rows, heads, , headDim] = q.shape as [number, number, number, number];
  const parts = plan.blocks.map(({ from, to, firstKey, mask }) => {
    const stacked = tf.reshape(cut(q, from, to), [rows, heads / plan.repeat, plan.repeat * (to - from), headDim]);
    const out = attend(stacked, cut(k, firstKey, to), cut(v, firstKey, to), mask);
    return tf.reshape(out, [rows, heads, to - from, headDim]);
  });
  return parts.length === 1 ? parts[0]! : tf.concat(parts, 2);
}
