/** @module The decoder's tensors of the closed-form start: the source's final norm, and room for what it expects next. */
import type { BltConfig } from '../../../blt/index.js';
import { identity, idleBlocks, type Tensors } from './encoder-tensors.js';
import { evenNorm, type Layout } from './layout.js';

const PREFIX = 'model.local_decoder';

/**
 * @param finalNorm the source's final norm [Hg]. With one row a patch it is the norm before keys and values, exactly; with several, whose
 * norms are of parts of a state, it is folded into the projection.
 * @param expected [spare, width]: the directions of the normed state, as values have it, that tell the next byte best.
 */
export function decoderTensors(
  config: BltConfig,
  layout: Layout,
  finalNorm: Float32Array,
  expected: Float32Array,
): Tensors {
  const { decoder, global, crossAttnK: slots } = config;
  const { width, content } = layout;
  const tensors = idleBlocks(PREFIX, decoder.layers, width, decoder.intermediateSize, evenNorm(layout));
  const state = global.hiddenSize;
  const projection = new Float32Array(slots * width * state);
  const keyNorm = new Float32Array(width).fill(1);
  for (let i = 0; i < Math.min(state, slots * width); i++) projection[i * state + i] = slots === 1 ? 1 : finalNorm[i]!;
  if (slots === 1) {
    // The norm is taken over the local width: zeros beyond the state make it smaller.
    const factor = Math.sqrt(Math.min(state, width) / width);
    for (let i = 0; i < Math.min(state, width); i++) keyNorm[i] = finalNorm[i]! * factor;
  }
  tensors.set(`${PREFIX}.patch_embedding_projection.weight`, projection);
  for (let i = 0; i < (decoder.crossAttnAllLayers ? decoder.layers : 1); i++) {
    const cross = `${PREFIX}.cross_attn_layers.${i}`;
    tensors.set(`${cross}.q_norm.weight`, evenNorm(layout));
    tensors.set(`${cross}.k_norm.weight`, keyNorm.slice());
    tensors.set(`${cross}.v_proj.weight`, identity(width, width));
    const output = new Float32Array(width * width);
    if (i === 0) output.set(expected, content * width);
    tensors.set(`${cross}.o_proj.weight`, output);
    // All rows of a patch alike, until it learns otherwise.
    tensors.set(`${cross}.q_proj.weight`, new Float32Array(width * width));
  }
  tensors.set(`${PREFIX}.norm.weight`, new Float32Array(width).fill(1));
  return tensors;
}
