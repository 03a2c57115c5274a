import { describe, expect, it } from 'vitest';
import {
  type AttentionShape,
  forwardKernel,
  keyGradientKernel,
  queryGradientKernel,
} from '../../../src/engine/triton/attention-kernels.js';
import { uniformOf } from '../../../src/random.js';
import { denseAttention, denseWeights } from '../../support/dense-attention.js';
import { type Memory, runKernel, toBfloat16 } from '../../support/run-kernel.js';

/** Attention and its gradients as their definitions say, in double precision. States are [head of all rows][position][channel]. */
function reference(shape: AttentionShape, [q, k, v, slope]: readonly Float32Array[], documents: Int32Array) {
  const { rows, heads, length, headDim } = shape;
  const out = denseAttention(shape, [q!, k!, v!], documents);
  const sums = new Float64Array(rows * heads * length);
  const [dQ, dK, dV] = [q!, k!, v!].map(({ length: size }) => new Float64Array(size)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  for (const { at, query, total, keys } of denseWeights(shape, q!, k!, documents)) {
    sums[query] = Math.log2(total);
    let delta = 0;
    for (let c = 0; c < headDim; c++) delta += slope![at + c]! * out[at + c]!;
    for (const { key, weight } of keys) {
      let slopeOfWeight = 0;
      for (let c = 0; c < headDim; c++) slopeOfWeight += slope![at + c]! * v![key + c]!;
      const slopeOfScore = weight * (slopeOfWeight - delta);
      for (let c = 0; c < headDim; c++) {
        dV[key + c]! += weight * slope![at + c]!;
        dQ[at + c]! += slopeOfScore * k![key + c]!;
        dK[key + c]! += slopeOfScore * q![at + c]!;
      }
    }
  }
  return { out, sums, dQ, dK, dV };
}

/** The largest difference, in units of the largest value if that is more than 1. */
function difference(found: Memory, wanted: Float64Array): number {
  const largest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
  return wanted.reduce((most, value, i) => Math.max(most, Math.abs(found[i]! - value)), 0) / largest;
}

const SHAPE: AttentionShape = {
  ...{ rows: 2, heads: 4, kvHeads: 2, length: 150, headDim: 16 },
  ...{ window: 150, type: 'bf16', packed: false },
};

/** Documents of 1 to 40 positions. */
function documentsOf({ rows, length }: AttentionShape, seed: string): Int32Array {
  const uniform = uniformOf(seed);
  let [document, left] = [0, 0];
  return Int32Array.from({ length: rows * length }, () => {
    if (left === 0) [document, left] = [document + 1, 1 + Math.floor(uniform() * 40)];
    left--;
    return document;
  });
}

describe('the kernels of attention', () => {
  it.each<[string, Partial<AttentionShape>]>([
    ['all earlier keys', {}],
    ['a window', { window: 37 }],
    ['a window of one key', { window: 1 }],
    ['several documents in a row', { packed: true }],
    ['several documents in a row, and a window', { packed: true, window: 50 }],
    ['a text as long as its blocks', { length: 128, window: 64 }],
    ['one position', { length: 1, window: 1 }],
    ['float32', { type: 'f32', window: 70, packed: true }],
    ['heads whose width is no power of two', { headDim: 24, window: 40 }],
    ['as many key-value heads as query heads', { heads: 2, kvHeads: 2, headDim: 32 }],
  ])('compute attention and its gradients: %s', (name, part) => {
    const shape = { ...SHAPE, ...part };
    const { rows, heads, kvHeads, length, headDim, type, packed } = shape;
    const most = type === 'bf16' ? { out: 0.01, gradient: 0.02 } : { out: 1e-6, gradient: 1e-5 };
    const uniform = uniformOf(name);
    const states = (count: number) =>
      Float32Array.from({ length: rows * count * length * headDim }, () => toBfloat16(2 * uniform() - 1));
    const [q, k, v, slope] = [heads, kvHeads, kvHeads, heads].map(states) as [
      Float32Array,
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    const documents = packed ? documentsOf(shape, name) : new Int32Array(rows * length);
    const last = packed ? [documents] : [];
    const wanted = reference(shape, [q, k, v, slope], documents);

    const unwritten = ({ length: size }: Memory) => new Float32Array(size).fill(Number.NaN);
    const [out, sums] = [unwritten(q), new Float32Array(rows * heads * length).fill(Number.NaN)];
    runKernel(forwardKernel(shape), [q, k, v, ...last, out, sums]);
    expect(difference(out, wanted.out)).toBeLessThan(most.out);
    expect(difference(sums, wanted.sums)).toBeLessThan(1e-5);

    const deltas = sums.map((_, i) => {
      let sum = 0;
      for (let c = 0; c < headDim; c++) sum += slope[i * headDim + c]! * out[i * headDim + c]!;
      return sum;
    });
    const [dQ, dK, dV] = [unwritten(q), unwritten(k), unwritten(v)];
    runKernel(queryGradientKernel(shape), [q, k, v, slope, sums, deltas, ...last, dQ]);
    runKernel(keyGradientKernel(shape), [q, k, v, slope, sums, deltas, ...last, dK, dV]);
    expect(difference(dQ, wanted.dQ)).toBeLessThan(most.gradient);
    expect(difference(dK, wanted.dK)).toBeLessThan(most.gradient);
    expect(difference(dV, wanted.dV)).toBeLessThan(most.gradient);
  });
});
