/** @module The entry of a process that times a small training step: the feed-forward block of a transformer with its gradients. */
import * as tf from '@tensorflow/tfjs-core';
import { compile } from '../compile.js';
import { startEngine } from '../start.js';

const [ROWS, WIDTH, INNER] = [1024, 576, 1536] as const;
const REPEATS = 8;
const SHAPES = [
  [ROWS, WIDTH],
  [WIDTH, INNER],
  [WIDTH, INNER],
  [INNER, WIDTH],
] as const;

/** The squared output of a SwiGLU. */
function loss(x: tf.Tensor, gate: tf.Tensor, up: tf.Tensor, down: tf.Tensor): tf.Scalar {
  const gated = tf.matMul(x, gate);
  const hidden = tf.mul(tf.mul(gated, tf.sigmoid(gated)), tf.matMul(x, up));
  return tf.sum(tf.square(tf.matMul(hidden, down)));
}

async function bestTime(): Promise<number> {
  const inputs = SHAPES.map((shape) => tf.fill([...shape], 0.01));
  const step = compile(
    (...given) => {
      const { value, grads } = tf.valueAndGrads((...at) => loss(at[0]!, at[1]!, at[2]!, at[3]!))(given);
      return [value, ...grads];
    },
    SHAPES.map((shape) => ({ shape, dtype: 'float32' as const })),
    'graph',
  );
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < REPEATS; i++) {
    const begun = performance.now();
    const results = await step.call(inputs);
    results[0]!.dataSync();
    best = Math.min(best, performance.now() - begun);
    tf.dispose(results);
  }
  return best;
}

await startEngine({ device: 'cpu', folder: process.argv[2]! });
const ms = await bestTime();
process.send!(ms, () => process.exit(0));
