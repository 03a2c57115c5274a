/** @module The latent global transformer over patches: where the source's layers live (blt-format 1.5). */
import { linear, type tf } from '../engine/index.js';
import { type BlockContext, blocks } from './block.js';
import type { Params } from './params.js';

const PREFIX = 'model.global_transformer';

/** patches [rows * patches, k * He] -> [rows * patches, Hg]. No final norm. */
export function globalTransformer(params: Params, patches: tf.Tensor, context: BlockContext): tf.Tensor {
  // Present only where k * He differs from Hg.
  const projection = params.get(`${PREFIX}.token_embedding_projection.weight`);
  return blocks(projection === undefined ? patches : linear(patches, projection), params, PREFIX, context);
}
