/** @module The entropy model: a byte language model whose uncertainty decides where patches begin (blt-format 2). */
import type { TransformerConfig } from '../../blt/index.js';
import { gatherRows, linear, rmsNorm, tf } from '../../engine/index.js';
import type { PatcherBatch } from '../batch-tensors.js';
import { type Params, param } from '../params.js';
import { type BlockContext, blockContext, blocks, type ForwardOptions } from '../transformer.js';

/** Normed hidden states of ids [N] -> [N, hidden], in any context. */
export function patcherStates(params: Params, ids: tf.Tensor, context: BlockContext): tf.Tensor {
  const embedded = gatherRows(param(params, 'model.patcher.embed_tokens.weight'), ids);
  const hidden = blocks(embedded, params, 'model.patcher', context);
  return rmsNorm(hidden, param(params, 'model.patcher.norm.weight'), context.config.rmsNormEps);
}

/** Normed hidden states [rows * length, hidden] of the patcher: what its head reads. */
export function patcherHidden(
  params: Params,
  config: TransformerConfig,
  batch: PatcherBatch,
  options: ForwardOptions = {},
): tf.Tensor {
  return patcherStates(params, batch.ids, blockContext(config, batch, options));
}

/** Next-byte logits [rows * length, 260] of hidden states. */
export function patcherHead(params: Params, hidden: tf.Tensor): tf.Tensor {
  return linear(hidden, param(params, 'model.patcher.lm_head.weight'));
}

/** Next-byte logits [rows * length, 260] of the patcher. */
export function patcherForward(
  params: Params,
  config: TransformerConfig,
  batch: PatcherBatch,
  options: ForwardOptions = {},
): tf.Tensor {
  return patcherHead(params, patcherHidden(params, config, batch, options));
}

/** Entropy in nats of each row of logits [N, V] -> [N], in float32 (blt-format 2.2). */
export function entropyOf(logits: tf.Tensor): tf.Tensor {
  const logProbabilities = tf.logSoftmax(logits as tf.Tensor2D);
  return tf.neg(tf.sum(tf.mul(tf.exp(logProbabilities), logProbabilities), -1));
}
