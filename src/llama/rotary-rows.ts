/** @module Row orders of rotary projections (blt-format 4.2): transformers rotates halves, GGUF files and a BLT rotate neighbours. */
import type { LlamaSource } from './open.js';
import type { LlamaTensor } from './tensors.js';

/**
 * For each row of the interleaved layout, the index of the same row in the half layout: per head of d rows, new[2j] = old[j] and
 * new[2j + 1] = old[j + d/2].
 * @param rows of the projection; @param headDim d.
 */
export function interleavedOrder(rows: number, headDim: number): Int32Array {
  const half = headDim / 2;
  return Int32Array.from({ length: rows }, (_, row) => {
    const inHead = row % headDim;
    return row - inHead + (inHead >> 1) + (inHead % 2 === 0 ? 0 : half);
  });
}

/** The inverse: for each row of the half layout, the index of the same row in the interleaved layout. */
export function halfOrder(rows: number, headDim: number): Int32Array {
  const order = new Int32Array(rows);
  interleavedOrder(rows, headDim).forEach((from, to) => {
    order[from] = to;
  });
  return order;
}

const IS_ROTARY = /self_attn\.[qk]_proj\.weight$/;

/** The bytes of a source's tensor with its rows in the order of transformers. @param tensor by its name in transformers */
export function rowsInHalfOrder(
  { config, ropeLayout }: Pick<LlamaSource, 'config' | 'ropeLayout'>,
  { name, shape }: LlamaTensor,
  bytes: Uint8Array,
): Uint8Array {
  if (ropeLayout === 'half' || !IS_ROTARY.test(name)) return bytes;
  return reorderRows(bytes, halfOrder(shape[0]!, config.hiddenSize / config.heads));
}

/** Reorders the rows of `bytes`: row r of the result is row order[r]. Elements are copied as they are, whatever their type. */
export function reorderRows(bytes: Uint8Array, order: Int32Array): Uint8Array {
  const rowBytes = bytes.length / order.length;
  const out = new Uint8Array(bytes.length);
  order.forEach((from, to) => {
    out.set(bytes.subarray(from * rowBytes, (from + 1) * rowBytes), to * rowBytes);
  });
  return out;
}
