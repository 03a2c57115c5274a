/** @module The encoder's initial tensors: blocks that pass their input on, and cross-attention that selects a patch's last byte. */
import { type BltConfig, needsProjection } from '../../../blt/index.js';
import { balancedNorm, constantOf, countUnit, type Layout } from './layout.js';

/** Values by tensor name. */
export type Tensors = Map<string, Float32Array>;

/** Added to the attention score per byte of the count: the second-last byte gets e^-6 of the last one's weight. */
const COUNT_SCORE = 6;
/** The query offset relative to the scale of states: large enough for the norm's epsilon not to matter. */
const QUERY_SHARE = 0.1;

export const CROSS = 'model.local_encoder.cross_attn_layers.0';
export const PATCH_PROJECTION = 'model.local_encoder.patch_embedding_projection.weight';
export const TOKEN_PROJECTION = 'model.global_transformer.token_embedding_projection.weight';

/** A matrix with ones on its diagonal [rows, columns], row-major. */
export function identity(rows: number, columns: number): Float32Array {
  const values = new Float32Array(rows * columns);
  for (let i = 0; i < Math.min(rows, columns); i++) values[i * columns + i] = 1;
  return values;
}

/** Blocks that return their input: their output matrices are zero. Their other matrices keep their values. */
export function identityBlocks(
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
 * Whether cross-attention selects the last byte of a patch. This is impossible if k > 1 rows have exactly the global width: there is one output
 * matrix for all rows, so they would be equal. In that case a projection of the maximum over the patch's bytes is fitted instead.
 */
export function attendsToLastByte(config: BltConfig): boolean {
  return config.crossAttnK === 1 || needsProjection(config);
}

/** A constant in the count channel of every query. Cross-attention adds it to its output twice (docs/blt-format.md 1.4). */
export function queryOffset(layout: Layout): number {
  return QUERY_SHARE * layout.scale * Math.sqrt(layout.width);
}

/** The encoder's tensors, except embeddings and fitted tensors. Cross-attention's output is its value, unchanged. */
export function encoderTensors(config: BltConfig, layout: Layout): Tensors {
  const { encoder, crossAttnK: slots } = config;
  const { width, count, constant } = layout;
  const { layers, intermediateSize, heads } = encoder;
  const tensors = identityBlocks('model.local_encoder', layers, width, intermediateSize, balancedNorm(layout));
  const square = () => new Float32Array(width * width);
  const projection = new Float32Array(slots * width * width);
  if (!attendsToLastByte(config)) {
    // The first row is the maximum itself.
    projection.set(identity(width, width));
    tensors.set(PATCH_PROJECTION, projection);
    tensors.set(`${CROSS}.o_proj.weight`, square());
    return tensors;
  }
  for (let slot = 0; slot < slots; slot++)
    projection[(slot * width + count) * width + constant] = queryOffset(layout) / constantOf(layout);
  const [query, key] = [square(), square()];
  const headDim = width / heads;
  // After its norm, a query is sqrt(width) in the count channel, and a key is the count divided by the scale of states.
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
