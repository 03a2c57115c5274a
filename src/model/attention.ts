/** @module Causal self-attention in blocks of queries, so that a window of W costs length x W and not length squared. */
import { attend, tf } from '../engine/index.js';

/** Queries of one block, and the range of keys any of them may see. */
const BLOCK = 256;

interface QueryBlock {
  readonly from: number;
  readonly to: number;
  readonly firstKey: number;
  /** [1 or rows, 1, repeat * (to - from), to - firstKey], 0 where visible and -1e9 elsewhere. */
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
  /** Document of each position [rows * length]; a query sees its own document only. Null: one document a row. */
  readonly documents: Int32Array | null;
}

const HIDDEN = -1e9;

function maskOf(shape: AttentionShape, from: number, to: number, firstKey: number): tf.Tensor {
  const { length, repeat, documents } = shape;
  const window = shape.window ?? length;
  const rows = documents === null ? 1 : shape.rows;
  const [queries, keys] = [to - from, to - firstKey];
  const values = new Float32Array(rows * repeat * queries * keys).fill(HIDDEN);
  for (let row = 0; row < rows; row++) {
    for (let query = from; query < to; query++) {
      const own = documents?.[row * length + query];
      const start = (row * repeat * queries + (query - from)) * keys;
      for (let key = Math.max(firstKey, query - window + 1); key <= query; key++) {
        if (documents === null || documents[row * length + key] === own) values[start + key - firstKey] = 0;
      }
      for (let copy = 1; copy < repeat; copy++) {
        values.copyWithin(start + copy * queries * keys, start, start + keys);
      }
    }
  }
  return tf.tensor(values, [rows, 1, repeat * queries, keys]);
}

/** Cuts a sequence into query blocks and makes their masks. */
export function attentionPlan(shape: AttentionShape): AttentionPlan {
  const { rows, length, repeat, window } = shape;
  const blocks: QueryBlock[] = [];
  for (let from = 0; from < length; from += BLOCK) {
    const to = Math.min(length, from + BLOCK);
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
