/** @module What a patcher says of each position: how uncertain the next byte is, and, if it is aligned, whether a token ends here. */
import type { BltConfig, TransformerConfig } from '../../blt/index.js';
import { linear, tf } from '../../engine/index.js';
import type { Arrays, BatchWith, PatcherOutput } from '../../patching/index.js';
import { batchTensors, PATCHER_FIELDS, type PatcherBatch } from '../batch-tensors.js';
import { type Params, param } from '../params.js';
import { entropyOf, patcherHead, patcherHidden } from './patcher.js';
import { TOKEN_END_HEAD } from './token-end-head.js';

/** Logits [positions] of a token's end at each position, from the patcher's normed hidden states [positions, hidden]. */
export function tokenEndLogits(params: Params, hidden: tf.Tensor): tf.Tensor {
  return tf.reshape(linear(hidden, param(params, TOKEN_END_HEAD)), [-1]);
}

/** Entropies in nats [rows * length] and, where the parameters have a token-end head, probabilities of a token's end [rows * length]. */
export function patcherTensors(params: Params, config: TransformerConfig, batch: PatcherBatch): tf.Tensor[] {
  const hidden = patcherHidden(params, config, batch);
  const entropies = entropyOf(patcherHead(params, hidden));
  return params.has(TOKEN_END_HEAD) ? [entropies, tf.sigmoid(tokenEndLogits(params, hidden))] : [entropies];
}

/** The values of `patcherTensors`, which are disposed. */
export function takeOutput(tensors: readonly tf.Tensor[]): PatcherOutput {
  const [entropies, endProbabilities = null] = tensors.map((tensor) => tensor.dataSync() as Float32Array);
  tf.dispose([...tensors]);
  return { entropies: entropies!, endProbabilities };
}

/** What the patcher says of rows, operation by operation: for measuring. */
export function patcherOutput(
  params: Params,
  { patcher }: BltConfig,
  batch: BatchWith<Arrays, (typeof PATCHER_FIELDS)[number]>,
): PatcherOutput {
  return takeOutput(tf.tidy(() => patcherTensors(params, patcher, batchTensors(batch, PATCHER_FIELDS))));
}
