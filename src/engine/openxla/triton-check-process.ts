/** @module The entry of a process that compares attention by kernels in Triton, and its gradients, with attention by XLA's operations. */
import * as tf from '@tensorflow/tfjs-core';
import { compile, signatureOf } from '../compile.js';
import { attend } from '../ops.js';
import { withPrecision } from '../precision.js';
import { randomNormal } from '../random-normal.js';
import type { PluginDevice } from '../setup/device-names.js';
import { startEngine } from '../start.js';
import { tritonAttention } from '../triton-attention.js';
import type { CheckMessage } from './triton-check.js';

/** Several blocks of queries and keys, the last ones not full. */
const [ROWS, HEADS, KV_HEADS, LENGTH, HEAD_DIM, WINDOW] = [2, 4, 2, 300, 64, 180] as const;
const DOCUMENT = 100;
/** Of values about as large as 1; bfloat16 has 8 bits. */
const TOLERANCE = 0.05;

/** 0 where a key is seen, -1e9 elsewhere: [ROWS, 1, LENGTH, LENGTH]. */
function maskOf(documents: tf.Tensor): tf.Tensor {
  const at = tf.range(0, LENGTH, 1, 'int32');
  const distance = tf.sub(tf.reshape(at, [LENGTH, 1]), tf.reshape(at, [1, LENGTH]));
  const near = tf.logicalAnd(tf.greaterEqual(distance, 0), tf.less(distance, WINDOW));
  const same = tf.equal(tf.reshape(documents, [ROWS, LENGTH, 1]), tf.reshape(documents, [ROWS, 1, LENGTH]));
  const hidden = tf.logicalNot(tf.logicalAnd(same, tf.reshape(near, [1, LENGTH, LENGTH])));
  return tf.reshape(tf.mul(tf.cast(hidden, 'float32'), -1e9), [ROWS, 1, LENGTH, LENGTH]);
}

type Attention = (q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, documents: tf.Tensor) => tf.Tensor;

const byKernels: Attention = (q, k, v, documents) => tritonAttention(q, k, v, { window: WINDOW, documents });

const byOperations: Attention = (q, k, v, documents) => {
  const stacked = tf.reshape(q, [ROWS, KV_HEADS, (HEADS / KV_HEADS) * LENGTH, HEAD_DIM]);
  return tf.reshape(attend(stacked, k, v, maskOf(documents)), q.shape);
};

const QUERIES = [ROWS, HEADS, LENGTH, HEAD_DIM];
const KEYS = [ROWS, KV_HEADS, LENGTH, HEAD_DIM];

/** Of q, k, v and the result's weights: scores as wide as in a trained model. */
const SPREAD = [0.3, 1, 1, 1];

/** The result for some inputs, and the gradients of its weighted sum. */
async function resultsOf(attention: Attention, inputs: tf.Tensor[]): Promise<Float32Array[]> {
  const traced = compile(
    (q, k, v, weights, documents) =>
      withPrecision('bfloat16', () => {
        const out = attention(q!, k!, v!, documents!);
        const loss = (...given: tf.Tensor[]) =>
          tf.sum(tf.mul(attention(given[0]!, given[1]!, given[2]!, documents!), weights!)) as tf.Scalar;
        return [out, ...tf.grads(loss)([q!, k!, v!])];
      }),
    signatureOf(inputs),
    'xla',
  );
  const results = await traced.call(inputs);
  return await Promise.all(results.map(async (result) => (await result.data()) as Float32Array));
}

const [device, plugin] = process.argv.slice(2) as [PluginDevice, string];
const send = (message: CheckMessage) => new Promise<void>((resolve) => process.send!(message, () => resolve()));

await startEngine({ device, plugin, triton: true });
await send({ kind: 'opened' });
const states = [QUERIES, KEYS, KEYS, QUERIES].map((shape, i) => tf.mul(randomNormal(shape, [1, i]), SPREAD[i]!));
const documents = tf.tensor(
  Int32Array.from({ length: ROWS * LENGTH }, (_, i) => Math.floor(i / DOCUMENT)),
  [ROWS, LENGTH],
  'int32',
);
const [kernels, operations] = await Promise.all(
  [byKernels, byOperations].map((attention) => resultsOf(attention, [...states, documents])),
);
const works = kernels!.every((found, i) =>
  found.every((value, k) => Math.abs(value - operations![i]![k]!) <= TOLERANCE * (1 + Math.abs(operations![i]![k]!))),
);
await send({ kind: 'checked', works });
process.exit(0);
