/** @module Attention by kernels in Triton. TensorFlow has no such operations: they are traced only for devices that run Triton. */
import { ByteifyError } from '../../../errors.js';
import { DataType } from '../../data-type.js';
import {
  type AttentionShape,
  forwardKernel,
  keyGradientKernel,
  queryGradientKernel,
} from '../../triton/attention-kernels.js';
import type { Value } from '../body.js';
import type { Attributes, Operand, Operation } from '../operation.js';

/** Kernels count elements with 32 bits. */
const MAX_ELEMENTS = 2 ** 31 - 1;

function shapeOf(q: Operand, k: Operand, attributes: Attributes, packed: boolean): AttentionShape {
  const [rows, heads, length, headDim] = q.shape as [number, number, number, number];
  if (rows * heads * length * headDim > MAX_ELEMENTS)
    throw new ByteifyError(`Attention over ${rows} rows of ${length} positions is more than its kernel can count.`, {
      hint: 'Use a smaller micro_batch_size.',
    });
  const type = q.dtype === DataType.bfloat16 ? 'bf16' : 'f32';
  return { rows, heads, kvHeads: k.shape[1]!, length, headDim, window: attributes.number('window'), type, packed };
}

export const ATTENTION: Readonly<Record<string, Operation>> = {
  /** (q, k, v, [documents]) -> (out, sums). */
  TritonAttention(p, inputs, attributes) {
    const [q, k] = inputs as [Operand, Operand];
    const kernel = forwardKernel(shapeOf(q, k, attributes, inputs.length > 3));
    const used = inputs.map((input) => input.use());
    return p.callKernel(kernel, used, [used[0]!, { shape: q.shape.slice(0, -1), dtype: DataType.float32 }]);
  },
  /** (q, k, v, dOut, sums, deltas, [documents]) -> (dQ, dK, dV). */
  TritonAttentionGradient(p, inputs, attributes) {
    const [q, k] = inputs as [Operand, Operand];
    const shape = shapeOf(q, k, attributes, inputs.length > 6);
    const used = inputs.map((input) => input.use());
    const [query, key, value] = used as [Value, Value, Value];
    return [
      ...p.callKernel(queryGradientKernel(shape), used, [query]),
      ...p.callKernel(keyGradientKernel(shape), used, [key, value]),
    ];
  },
};
