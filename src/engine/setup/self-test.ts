/** @module Verifies that the engine computes and differentiates correctly, and measures its matrix product. */
import * as tf from '@tensorflow/tfjs-core';
import { ByteifyError } from '../../errors.js';
import { type Engine, startEngine } from '../start.js';
import type { PluginDevice } from './device-names.js';
import { locateEngine } from './locate.js';
import { fasterOneDnn, useOneDnn } from './onednn.js';
import { recordSelfTest, type SelfTest } from './self-test-record.js';

export type { SelfTest };

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

/** Multiplies a matrix, differentiates x -> sum((x A) * x), and measures the speed. @throws ByteifyError when a result is wrong */
function tryEngine(engine: Engine): SelfTest {
  tf.tidy(() => {
    const a = tf.tensor2d([1, 2, 3, 4], [2, 2]);
    close(tf.matMul(a, a).dataSync(), [7, 10, 15, 22], 'a product');
    const gradient = tf.grad((x: tf.Tensor) => tf.sum(tf.mul(tf.matMul(x, a), x)))(a);
    close(gradient.dataSync(), [22, 35, 40, 67], 'a gradient');
  });
  return {
    tensorflow: engine.version,
    devices: engine.devices.map(({ name, type }) => `${type} ${name.split('/').at(-1)}`),
    gflops: Number(measureGflops().toPrecision(3)),
    onednn: null,
  };
}

/**
 * Tests TensorFlow's libraries, measures which of its kernels are faster, and writes `self-test.json` to the engine's cache. A process has one engine, and this call must be what starts it.
 * @param folder contains the libraries; by default those that `locateEngine` finds.
 * @throws ByteifyError when there are none, they do not load, or a result is wrong.
 */
export async function selfTest(folder: string | undefined = locateEngine()?.folder): Promise<SelfTest> {
  if (folder === undefined) return tryEngine(await startEngine({ device: 'cpu' }));
  const onednn = await fasterOneDnn(folder);
  useOneDnn(onednn);
  const result = { ...tryEngine(await startEngine({ device: 'cpu', folder })), onednn };
  await recordSelfTest(folder, result);
  return result;
}

/** The same for a device of OpenXLA, without a record. */
export const selfTestDevice = async (device: PluginDevice, plugin: string): Promise<SelfTest> =>
  tryEngine(await startEngine({ device, plugin }));
