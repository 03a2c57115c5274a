import { beforeAll, describe, expect, it } from 'vitest';
import { type Engine, rangeSums, startEngine, tf } from '../../src/engine/index.js';
import { type Body, everyWay, ints, MODES } from '../support/modes.js';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine({ threads: 2 });
});

const sums: Body = (p, rows, bounds) => [rangeSums(p!, rows!, bounds!)];

/** The largest error of a range relative to its own sum, in double precision; empty ranges must be exactly 0. */
function worstError(found: Float32Array, p: Float32Array, width: number, rows: number[], bounds: number[][]): number {
  let [worst, at] = [0, 0];
  rows.forEach((row, n) => {
    for (let b = 0; b + 1 < bounds[n]!.length; b++) {
      let wanted = 0;
      for (let v = bounds[n]![b]!; v < bounds[n]![b + 1]!; v++) wanted += p[row * width + v]!;
      const error = Math.abs(found[at++]! - wanted);
      worst = Math.max(worst, error === 0 ? 0 : error / wanted);
    }
  });
  return worst;
}

describe('range sums', () => {
  it('equal a few counted by hand: from the first value, to the last, over nothing, rows in any order', async () => {
    const before = engine.liveHandles();
    const inputs = [
      tf.tensor2d([0.5, 0.25, 0.125, 0.125, 1, 2, 3, 4], [2, 4]),
      ints([1, 0, 1]),
      ints([0, 0, 1, 4, 4, 0, 4, 4, 0, 2, 2, 3], [3, 4]),
    ];
    const found = await everyWay(sums, inputs);
    for (const mode of MODES) expect([...found[mode][0]!], mode).toEqual([0, 1, 9, 0, 1, 0, 3, 0, 3]);
    tf.dispose(inputs);
    expect(engine.liveHandles(), 'handles are left').toBe(before);
  });

  it('are accurate for tiny values beside a dominating one, over 49,152 of them', async () => {
    const [width, few] = [49_152, 256];
    const p = new Float32Array(2 * width);
    for (let v = 0; v < width; v++) {
      p[v] = 1e-10 * (1.5 + Math.sin(12.9898 * v));
      p[width + v] = 1e-9 * (1.5 + Math.cos(v));
    }
    p[700] = 0.999995;
    p[width] = 0.99994;
    const rows = [0, 1, 0];
    // Ranges of one or two values after the dominating one, ranges over everything, and ranges at the end.
    const bounds = [
      Array.from({ length: few + 1 }, (_, b) => 701 + b + (b >> 1)),
      Array.from({ length: few + 1 }, (_, b) => (b * width) / few),
      Array.from({ length: few + 1 }, (_, b) => width - few + b),
    ];
    const inputs = [tf.tensor2d(p, [2, width]), ints(rows), ints(bounds.flat(), [3, few + 1])];
    const found = await everyWay(sums, inputs);
    for (const mode of MODES) expect(worstError(found[mode][0]!, p, width, rows, bounds), mode).toBeLessThan(1e-5);
    tf.dispose(inputs);
  });

  it('have a zero gradient, which does not affect other gradients', () => {
    tf.tidy(() => {
      const p = tf.tensor2d([2, 3, 5], [1, 3]);
      // 2 + 3 and 5: the gradient of p_0 * 5 + p_1 * 5 has the factors of p.
      const loss = (x: tf.Tensor) =>
        tf.sum(tf.mul(tf.slice(x, [0, 0], [1, 2]), rangeSums(x, ints([0]), ints([0, 2, 3], [1, 3]))));
      expect([...tf.grad(loss)(p).dataSync()]).toEqual([5, 5, 0]);
      const alone = (x: tf.Tensor) => tf.sum(rangeSums(x, ints([0]), ints([0, 2, 3], [1, 3])));
      expect([...tf.grad(alone)(p).dataSync()]).toEqual([0, 0, 0]);
    });
  });
});
