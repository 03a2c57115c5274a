/** @module The entry of a process that compares attention by kernels in Triton, and its gradients, with attention by XLA's operations. */
import * as tf from '@tensorflow/tfjs-core';
import { messageOf } from '../../errors.js';
import { compile, signatureOf } from '../compile.js';
import { attend } from '../ops.js';
import { type Precision, withPrecision } from '../precision.js';
import { randomNormal } from '../random-normal.js';
import type { PluginDevice } from '../setup/device-names.js';
import { startEngine } from '../start.js';
import { tritonAttention } from '../triton-attention.js';
import type { CheckMessage } from './triton-check.js';

/** Several blocks of queries and keys, the last ones not full. The heads are those that take most of a chip's memory. */
const [ROWS, HEADS, KV_HEADS, LENGTH, HEAD_DIM, WINDOW] = [2, 4, 2, 300, 128, 180] as const;
const DOCUMENT = 100;
/** Of values about as large as 1. */
const TOLERANCES = { bfloat16: 0.05, float32: 1e-4 } as const;

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
const SPREAD = [0.2, 1, 1, 1];

/** The result for some inputs, and the gradients of its weighted sum. */
async function resultsOf(attention: Attention, precision: Precision, inputs: tf.Tensor[]): Promise<Float32Array[]> {
  const traced = compile(
    (q, k, v, weights, documents) =>
      withPrecision(precision, () => {
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

/** Whether both ways agree, in values and gradients. */
async function agree(precision: Precision): Promise<boolean> {
  const inputs = [...states, documents];
  const kernels = await resultsOf(byKernels, precision, inputs);
  const operations = await resultsOf(byOperations, precision, inputs);
  const isNear = (found: number, wanted: number) =>
    Math.abs(found - wanted) <= TOLERANCES[precision] * (1 + Math.abs(wanted));
  return kernels.every((values, i) => values.every((value, k) => isNear(value, operations[i]![k]!)));
}

/** Whether the kernels are right; null if the device has no memory for the check. A chip that is too small for a kernel's tiles is another matter. */
async function verdict(): Promise<boolean | null> {
  try {
    return (await agree('bfloat16')) && (await agree('float32'));
  } catch (error) {
    const reason = messageOf(error);
    return /too little memory/i.test(reason) && !/shared memory/i.test(reason) ? null : false;
  }
}

await send({ kind: 'checked', works: await verdict() });
process.exit(0);
