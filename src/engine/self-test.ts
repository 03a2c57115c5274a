/** @module Proves that the engine computes and differentiates, and measures its matrix product. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { ByteifyError } from '../errors.js';
import { engineHome } from './folders.js';
import { startEngine } from './start.js';

export interface SelfTest {
  readonly tensorflow: string;
  readonly devices: string[];
  /** Rate of a float32 matrix product of 1024 x 1024, best of several, in GFLOP/s. */
  readonly gflops: number;
}

const SIZE = 1024;
const REPEATS = 8;

function close(found: ArrayLike<number>, wanted: readonly number[], what: string): void {
  if (wanted.some((value, i) => Math.abs(found[i]! - value) > 1e-5)) {
    throw new ByteifyError(
      `The engine's self-test failed: ${what} gave [${Array.from(found)}] instead of [${wanted}].`,
      {
        hint: 'Remove the engine’s cache folder and run `byteify setup` again.',
      },
    );
  }
}

function measureGflops(): number {
  const a = tf.ones([SIZE, SIZE]);
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < REPEATS; i++) {
    const start = performance.now();
    const product = tf.matMul(a, a);
    product.dataSync();
    best = Math.min(best, performance.now() - start);
    product.dispose();
  }
  a.dispose();
  return (2 * SIZE ** 3) / (best * 1e6);
}

/**
 * Multiplies a matrix, differentiates x -> sum((x A) * x), measures, and leaves `self-test.json` in the engine's cache.
 * @throws ByteifyError when a result is wrong.
 */
export async function selfTest(): Promise<SelfTest> {
  const engine = await startEngine();
  tf.tidy(() => {
    const a = tf.tensor2d([1, 2, 3, 4], [2, 2]);
    close(tf.matMul(a, a).dataSync(), [7, 10, 15, 22], 'a product');
    const gradient = tf.grad((x: tf.Tensor) => tf.sum(tf.mul(tf.matMul(x, a), x)))(a);
    close(gradient.dataSync(), [22, 35, 40, 67], 'a gradient');
  });
  const result: SelfTest = {
    tensorflow: engine.version,
    devices: engine.devices.map(({ name, type }) => `${type} ${name.split('/').at(-1)}`),
    gflops: Number(measureGflops().toPrecision(3)),
  };
  await mkdir(engineHome(), { recursive: true });
  await writeFile(join(engineHome(), 'self-test.json'), `${JSON.stringify(result)}\n`);
  return result;
}
