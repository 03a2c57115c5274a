/** @module The latent global transformer over patches: where the source's layers live (blt-format 1.5). */
import { linear, type tf } from '../engine/index.js';
import { type BlockContext, blocks } from './block.js';
import type { Params } from './params.js';

const PREFIX = 'model.global_transformer';

/** patches [rows * patches, k * He] -> [rows * patches, Hg]: what stands where the source has its token embeddings. */
export function patchVectors(params: Params, patches: tf.Tensor): tf.Tensor {
  // Present only where k * He differs from Hg.
  const projection = params.get(`${PREFIX}.token_embedding_projection.weight`);
  return projection === undefined ? patches : linear(patches, projection);
}

/** The layers over vectors [rows * length, Hg], patches or token embeddings. No final norm. */
export function globalLayers(params: Params, vectors: tf.Tensor, context: BlockContext): tf.Tensor {
  return blocks(vectors, params, PREFIX, context);
}

/** patches [rows * patches, k * He] -> [rows * patches, Hg]. No final norm. */
export function globalTransformer(params: Params, patches: tf.Tensor, context: BlockContext): tf.Tensor {
  return globalLayers(params, patchVectors(params, patches), context);
}
