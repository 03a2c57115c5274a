import { beforeAll, expect, it } from 'vitest';
import { attribute, rawOp, startEngine, tf } from '../../src/engine/index.js';
import { randomNormal } from '../../src/engine/random-normal.js';

beforeAll(async () => {
  await startEngine({ threads: 2 });
});

function byTensorFlow(shape: readonly number[], seed: readonly [number, number]): Float32Array {
  const types = [attribute.type('dtype', 'float32'), attribute.type('T', 'int32'), attribute.type('Tseed', 'int32')];
  const inputs = [tf.tensor1d([...shape], 'int32'), tf.tensor1d([...seed], 'int32')];
  return rawOp('StatelessRandomNormal', types, inputs)[0]!.dataSync() as Float32Array;
}

it.each([
  [[7], [1, 2]],
  [
    [3, 1001],
    [42, 0],
  ],
  [
    [513, 31],
    [-5, 2 ** 31 - 1],
  ],
] as const)('the numbers of shape %j and seed %j are TensorFlow’s', (shape, seed) => {
  const wanted = byTensorFlow(shape, seed);
  const found = randomNormal(shape, seed).dataSync() as Float32Array;
  const difference = found.reduce((most: number, value, i) => Math.max(most, Math.abs(value - wanted[i]!)), 0);
  expect(found).toHaveLength(wanted.length);
  expect(difference).toBeLessThan(2e-6);
});
