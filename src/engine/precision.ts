/**
 * @module The precision of matrix products. In bfloat16, operands are rounded, and what products keep for the backward pass takes half the
 * memory. Sums, norms, softmax and the weights themselves stay float32. tfjs-core has no name for the type and treats it as float32.
 */
import * as tf from '@tensorflow/tfjs-core';
import { attribute } from './attributes.js';
import { engineBackend } from './backend.js';
import { multipliesBfloat16 } from './bfloat16-products.js';
import { DataType } from './data-type.js';
import { castNative, rawOp } from './raw-op.js';

export type Precision = 'float32' | 'bfloat16';

let current: Precision = 'float32';

/** Runs `fn` with its matrix products in a precision, which their gradients use too. `fn` must be synchronous. */
export function withPrecision<T>(precision: Precision, fn: () => T): T {
  const before = current;
  current = precision;
  try {
    return fn();
  } finally {
    current = before;
  }
}

/** The current precision. */
export function currentPrecision(): Precision {
  return current;
}

/** How an operation treats the operands of its products, forward and backward. Use it inside a custom gradient, or where none is needed. */
export interface ProductOperands {
  readonly precision: Precision;
  /** Converts float32 or bfloat16 to the precision of the products. */
  narrow(x: tf.Tensor): tf.Tensor;
  /** Converts back to float32. */
  widen(x: tf.Tensor): tf.Tensor;
  /** A product of narrowed matrices, or of batches of them -> float32. */
  product(a: tf.Tensor, b: tf.Tensor, transposeA: boolean, transposeB: boolean): tf.Tensor;
}

const FLOAT32: ProductOperands = {
  precision: 'float32',
  narrow: (x) => widened(x),
  widen: (x) => x,
  product: (a, b, transposeA, transposeB) => tf.matMul(a, b, transposeA, transposeB),
};

/** Whether a tensor that tfjs-core treats as float32 is bfloat16. The weights of a frozen part are passed on in their stored type. */
function isBfloat16({ dataId }: tf.Tensor): boolean {
  return engineBackend().nativeType(dataId) === DataType.bfloat16;
}

const widened = (x: tf.Tensor): tf.Tensor => (isBfloat16(x) ? castNative(x, DataType.bfloat16, DataType.float32) : x);

/** Else rounded operands are multiplied in float32: the same but for the rounding of the result. */
const HAS_PRODUCTS = multipliesBfloat16(process.env);

const BFLOAT16: ProductOperands = {
  precision: 'bfloat16',
  narrow: (x) => (isBfloat16(x) ? x : castNative(x, DataType.float32, DataType.bfloat16)),
  widen: (x) => castNative(x, DataType.bfloat16, DataType.float32),
  product(a, b, transposeA, transposeB) {
    if (!HAS_PRODUCTS) return tf.matMul(BFLOAT16.widen(a), BFLOAT16.widen(b), transposeA, transposeB);
    const flat = a.rank === 2;
    const attributes = [
      attribute.nativeType('T', DataType.bfloat16),
      attribute.bool(flat ? 'transpose_a' : 'adj_x', transposeA),
      attribute.bool(flat ? 'transpose_b' : 'adj_y', transposeB),
    ];
    return BFLOAT16.widen(rawOp(flat ? 'MatMul' : 'BatchMatMulV2', attributes, [a, b])[0]!);
  },
};

/** The operands of the current precision. */
export function productOperands(): ProductOperands {
  return current === 'bfloat16' ? BFLOAT16 : FLOAT32;
}
