// Measures how fast the GPU multiplies large bfloat16 matrices: the reference if its peak is unknown, and evidence that the GPU does the
// work.
import { compile, linear, signatureOf, tf, withPrecision } from '../../dist/engine/index.js';

/** Consecutive products, so that the time to round the first operand and to fetch the result is negligible. */
const CHAIN = 8;
const REPEATS = 5;

/** A square matrix of uniform noise with variance 1 / `size`, so that products keep their magnitude. Zeros would multiply faster. */
function noise(size) {
  const scale = Math.sqrt(3 / size) / 2 ** 31;
  let state = 1;
  const values = Float32Array.from({ length: size * size }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state * scale;
  });
  return tf.tensor2d(values, [size, size]);
}

/** @param {number} size of the square matrices @returns {Promise<number>} FLOP/s, the best of several runs */
export async function matmulRate(size) {
  const inputs = [noise(size), noise(size)];
  const chain = compile(
    (first, weights) =>
      withPrecision('bfloat16', () => {
        let x = first;
        for (let i = 0; i < CHAIN; i++) x = linear(x, weights);
        // The maximum, not the sum, which XLA could compute without the full product.
        return [tf.max(x)];
      }),
    signatureOf(inputs),
    'xla',
  );
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i <= REPEATS; i++) {
    const begun = performance.now();
    const [largest] = await chain.call(inputs);
    largest.dataSync();
    // The first run compiles.
    if (i > 0) best = Math.min(best, performance.now() - begun);
    largest.dispose();
  }
  chain.dispose();
  tf.dispose(inputs);
  return (CHAIN * 2 * size ** 3) / (best / 1000);
}
