/** @module The encoder's tensors of the closed-form start: blocks that pass states on, and cross-attention that takes a patch's last one. */
import { type BltConfig, needsProjection } from '../../../blt/index.js';
import { constantOf, countUnit, evenNorm, type Layout } from './layout.js';

/** Values by tensor name. */
export type Tensors = Map<string, Float32Array>;

/** What a byte more in the count adds to an attention score: e^-6 is left for the byte before. */
const COUNT_SCORE = 6;
/** Of the state's scale: a query large enough not to be lost in the norm's epsilon. */
const QUERY_SHARE = 0.1;

export const CROSS = 'model.local_encoder.cross_attn_layers.0';
export const PATCH_PROJECTION = 'model.local_encoder.patch_embedding_projection.weight';
export const TOKEN_PROJECTION = 'model.global_transformer.token_embedding_projection.weight';

/** A matrix of ones on the diagonal, [rows, columns] row-major. */
export function identity(rows: number, columns: number): Float32Array {
  const values = new Float32Array(rows * columns);
  for (let i = 0; i < Math.min(rows, columns); i++) values[i * columns + i] = 1;
  return values;
}

/** Blocks that leave what they are given: their outputs are zero, all else is as it was. */
export function idleBlocks(
  prefix: string,
  layers: number,
  width: number,
  intermediate: number,
  norm: Float32Array,
): Tensors {
  const tensors: Tensors = new Map();
  for (let i = 0; i < layers; i++) {
    const layer = `${prefix}.layers.${i}`;
    tensors.set(`${layer}.self_attn.o_proj.weight`, new Float32Array(width * width));
    tensors.set(`${layer}.mlp.down_proj.weight`, new Float32Array(width * intermediate));
    tensors.set(`${layer}.input_layernorm.weight`, norm.slice());
    tensors.set(`${layer}.post_attention_layernorm.weight`, norm.slice());
  }
  return tensors;
}

/**
 * Whether a patch is read by attention to its last byte. It cannot be where k > 1 rows are the global width exactly: one output matrix serves all
 * rows, so they would be equal. There the projection of the maximum over the patch's bytes is fitted instead.
 */
export function attends(config: BltConfig): boolean {
  return config.crossAttnK === 1 || needsProjection(config);
}

/** What each query adds twice to its own row (blt-format 1.4): a constant in the count's channel. */
export function queryOffset(layout: Layout): number {
  return QUERY_SHARE * layout.scale * Math.sqrt(layout.width);
}

/** Tensors of the encoder but for embeddings and what is fitted. The output of cross-attention is its value, unchanged. */
export function encoderTensors(config: BltConfig, layout: Layout): Tensors {
  const { encoder, crossAttnK: slots } = config;
  const { width, count, constant } = layout;
  const { layers, intermediateSize, heads } = encoder;
  const tensors = idleBlocks('model.local_encoder', layers, width, intermediateSize, evenNorm(layout));
  const square = () => new Float32Array(width * width);
  const projection = new Float32Array(slots * width * width);
  if (!attends(config)) {
    // The maximum itself in the first row's place.
    projection.set(identity(width, width));
    tensors.set(PATCH_PROJECTION, projection);
    tensors.set(`${CROSS}.o_proj.weight`, square());
    return tensors;
  }
  for (let slot = 0; slot < slots; slot++)
    projection[(slot * width + count) * width + constant] = queryOffset(layout) / constantOf(layout);
  const [query, key] = [square(), square()];
  const headDim = width / heads;
  // After its norm a query is sqrt(width) in the count's channel; a key is the count over the states' scale.
  const factor = (COUNT_SCORE * Math.sqrt(headDim) * layout.scale) / countUnit(layout);
  for (let head = 0; head < heads; head++) {
    query[head * headDim * width + count] = 1 / Math.sqrt(width);
    key[head * headDim * width + count] = factor;
  }
  return new Map([
    ...tensors,
    [PATCH_PROJECTION, projection],
    [`${CROSS}.q_proj.weight`, query],
    [`${CROSS}.k_proj.weight`, key],
    [`${CROSS}.v_proj.weight`, identity(width, width)],
    [`${CROSS}.o_proj.weight`, identity(width, width)],
    [`${CROSS}.q_norm.weight`, new Float32Array(width).fill(1)],
    [`${CROSS}.k_norm.weight`, new Float32Array(width).fill(1)],
  ]);
}
