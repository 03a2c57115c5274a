/** @module The patcher: a small byte-level language model whose entropy decides where patches begin (blt-format 2). */
import type { TransformerConfig } from '../../blt/index.js';
import { gatherRows, linear, rmsNorm, tf } from '../../engine/index.js';
import type { PatcherBatch } from '../batch-tensors.js';
import { type Params, param } from '../params.js';
import { type BlockContext, blockContext, blocks, type ForwardOptions } from '../transformer.js';

/** The patcher in any context: ids, int32 [N] -> normed hidden states [N, hidden]. */
export function patcherStates(params: Params, ids: tf.Tensor, context: BlockContext): tf.Tensor {
  const embedded = gatherRows(param(params, 'model.patcher.embed_tokens.weight'), ids);
  const hidden = blocks(embedded, params, 'model.patcher', context);
  return rmsNorm(hidden, param(params, 'model.patcher.norm.weight'), context.config.rmsNormEps);
}

/** A batch -> normed hidden states [rows * length, hidden], the input of the patcher's heads. */
export function patcherHidden(
  params: Params,
  config: TransformerConfig,
  batch: PatcherBatch,
  options: ForwardOptions = {},
): tf.Tensor {
  return patcherStates(params, batch.ids, blockContext(config, batch, options));
}

/** Normed hidden states [N, hidden] -> next-byte logits [N, 260]. */
export function patcherHead(params: Params, hidden: tf.Tensor): tf.Tensor {
  return linear(hidden, param(params, 'model.patcher.lm_head.weight'));
}

/** A batch -> the patcher's next-byte logits [rows * length, 260]. */
export function patcherForward(
  params: Params,
  config: TransformerConfig,
  batch: PatcherBatch,
  options: ForwardOptions = {},
): tf.Tensor {
  return patcherHead(params, patcherHidden(params, config, batch, options));
}

/** Logits [N, V] -> the entropy of each row [N] in nats, in float32 (blt-format 2.2). */
export function entropyOf(logits: tf.Tensor): tf.Tensor {
  const logProbabilities = tf.logSoftmax(logits as tf.Tensor2D);
  return tf.neg(tf.sum(tf.mul(tf.exp(logProbabilities), logProbabilities), -1));
}
