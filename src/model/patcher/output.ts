/** @module A patcher's output per position: how uncertain the next byte is and, for an aligned patcher, whether a token ends there. */
import type { BltConfig, TransformerConfig } from '../../blt/index.js';
import { linear, tf } from '../../engine/index.js';
import type { Arrays, BatchWith, PatcherOutput } from '../../patching/index.js';
import { batchTensors, PATCHER_FIELDS, type PatcherBatch } from '../batch-tensors.js';
import { type Params, param } from '../params.js';
import { entropyOf, patcherHead, patcherHidden } from './patcher.js';
import { TOKEN_END_HEAD } from './token-end-head.js';

/** The patcher's normed hidden states [positions, hidden] -> logits [positions] of whether a token ends there. */
export function tokenEndLogits(params: Params, hidden: tf.Tensor): tf.Tensor {
  return tf.reshape(linear(hidden, param(params, TOKEN_END_HEAD)), [-1]);
}

/** Entropies in nats [rows * length] and, if the parameters include a token-end head, the probability that a token ends there [rows * length]. */
export function patcherTensors(params: Params, config: TransformerConfig, batch: PatcherBatch): tf.Tensor[] {
  const hidden = patcherHidden(params, config, batch);
  const entropies = entropyOf(patcherHead(params, hidden));
  return params.has(TOKEN_END_HEAD) ? [entropies, tf.sigmoid(tokenEndLogits(params, hidden))] : [entropies];
}

/** Copies the results of `patcherTensors` to the host and disposes them. */
export function takeOutput(tensors: readonly tf.Tensor[]): PatcherOutput {
  const [entropies, endProbabilities = null] = tensors.map((tensor) => tensor.dataSync() as Float32Array);
  tf.dispose([...tensors]);
  return { entropies: entropies!, endProbabilities };
}

/** Runs the patcher on rows, uncompiled: for measurements. */
export function patcherOutput(
  params: Params,
  { patcher }: BltConfig,
  batch: BatchWith<Arrays, (typeof PATCHER_FIELDS)[number]>,
): PatcherOutput {
  return takeOutput(tf.tidy(() => patcherTensors(params, patcher, batchTensors(batch, PATCHER_FIELDS))));
}
