/** @module The source model, built from the same block: embeddings, layers, final norm and head. */
import type { TransformerConfig } from '../blt/index.js';
import { crossEntropyRows, gatherRows, linear, rmsNorm, tf } from '../engine/index.js';
import type { LlamaConfig } from '../llama/index.js';
import type { PatcherBatch } from './batch-tensors.js';
import { type Params, param } from './params.js';
import { blockContext, blocks, type ForwardOptions, type RopeLayout, type SequenceShape } from './transformer.js';

/** A Llama's config in the form that the shared block takes. It has no attention window. */
export function llamaBlocks(config: LlamaConfig): TransformerConfig {
  const { hiddenSize, layers, heads, kvHeads, intermediateSize, rmsNormEps, rope, maxPositions } = config;
  return { hiddenSize, layers, heads, kvHeads, intermediateSize, rmsNormEps, rope, maxPositions, window: null };
}

export interface LlamaModel {
  readonly params: Params;
  readonly config: LlamaConfig;
  readonly ropeLayout: RopeLayout;
}

/** Embeddings [rows * length, hidden] -> hidden states after the last layer, before the final norm. */
export function llamaLayers({ params, config, ropeLayout }: LlamaModel, embeddings: tf.Tensor, rows = 1): tf.Tensor {
  const shape = { rows, length: embeddings.shape[0]! / rows, documents: null };
  return blocks(embeddings, params, 'model', blockContext(llamaBlocks(config), shape, { layout: ropeLayout }));
}

/** The head [vocabulary, hidden], which turns normed hidden states into logits. */
export const llamaHead = ({ params, config }: LlamaModel): tf.Tensor =>
  param(params, config.tiedEmbeddings ? 'model.embed_tokens.weight' : 'lm_head.weight');

/** Token ids, int32 [rows * length] -> normed hidden states [rows * length, hidden]. */
function normedStates(
  { params, config, ropeLayout }: LlamaModel,
  ids: tf.Tensor,
  shape: SequenceShape,
  options: ForwardOptions = {},
): tf.Tensor {
  const embedded = gatherRows(param(params, 'model.embed_tokens.weight'), ids);
  const context = blockContext(llamaBlocks(config), shape, { ...options, layout: ropeLayout });
  const states = blocks(embedded, params, 'model', context);
  return rmsNorm(states, param(params, 'model.norm.weight'), config.rmsNormEps);
}

/** A batch of token ids -> logits [rows * length, vocabulary]. */
export const llamaForward = (model: LlamaModel, batch: PatcherBatch, options?: ForwardOptions): tf.Tensor =>
  linear(normedStates(model, batch.ids, batch, options), llamaHead(model));

/** Token ids [rows * length] -> normed hidden states [rows * length, hidden], and the head [vocabulary, hidden] that turns them into logits. */
export function llamaHidden(model: LlamaModel, ids: Int32Array, rows = 1): { hidden: tf.Tensor; head: tf.Tensor } {
  const shape = { rows, length: ids.length / rows, documents: null };
  return { hidden: normedStates(model, tf.tensor1d(ids, 'int32'), shape), head: llamaHead(model) };
}

/** Logits are computed for this many positions at a time: 512 x 128,256 floats are 263 MB. */
const HEAD_POSITIONS = 512;

/**
 * The negative log-likelihood, in nats, of each token of a sequence except the first.
 * @returns [ids.length - 1]
 */
export function llamaLosses(model: LlamaModel, ids: Int32Array): Float32Array {
  const losses = new Float32Array(ids.length - 1);
  tf.tidy(() => {
    const { hidden, head } = llamaHidden(model, ids);
    for (let from = 0; from < losses.length; from += HEAD_POSITIONS) {
      const to = Math.min(losses.length, from + HEAD_POSITIONS);
      const part = tf.tidy(() => {
        const logits = linear(tf.slice(hidden, [from, 0], [to - from, -1]), head);
        return crossEntropyRows(logits, tf.tensor1d(ids.slice(from + 1, to + 1), 'int32'));
      });
      losses.set(part.dataSync() as Float32Array, from);
      part.dispose();
    }
  });
  return losses;
}
