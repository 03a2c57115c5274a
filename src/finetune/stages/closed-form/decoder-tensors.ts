/** @module The decoder's initial tensors: they apply the source's final norm, and change nothing else. */
import type { BltConfig } from '../../../blt/index.js';
import { identity, identityBlocks, type Tensors } from './encoder-tensors.js';
import { balancedNorm, type Layout } from './layout.js';

const PREFIX = 'model.local_decoder';

/**
 * @param finalNorm the weights of the source's final norm [Hg]. With one row per patch, the norm before keys and values reproduces it exactly.
 * With several rows, each of which is normalised separately, it is folded into the projection.
 */
export function decoderTensors(config: BltConfig, layout: Layout, finalNorm: Float32Array): Tensors {
  const { decoder, global, crossAttnK: slots } = config;
  const { width } = layout;
  const tensors = identityBlocks(PREFIX, decoder.layers, width, decoder.intermediateSize, balancedNorm(layout));
  const state = global.hiddenSize;
  const projection = new Float32Array(slots * width * state);
  const keyNorm = new Float32Array(width).fill(1);
  for (let i = 0; i < Math.min(state, slots * width); i++) projection[i * state + i] = slots === 1 ? 1 : finalNorm[i]!;
  if (slots === 1) {
    // This norm divides by the RMS over the local width, which zeros beyond the state reduce.
    const factor = Math.sqrt(Math.min(state, width) / width);
    for (let i = 0; i < Math.min(state, width); i++) keyNorm[i] = finalNorm[i]! * factor;
  }
  tensors.set(`${PREFIX}.patch_embedding_projection.weight`, projection);
  for (let i = 0; i < (decoder.crossAttnAllLayers ? decoder.layers : 1); i++) {
    const cross = `${PREFIX}.cross_attn_layers.${i}`;
    tensors.set(`${cross}.k_norm.weight`, keyNorm.slice());
    tensors.set(`${cross}.v_proj.weight`, identity(width, width));
    tensors.set(`${cross}.o_proj.weight`, new Float32Array(width * width));
    // Zero queries weight all rows of a patch equally. A single row leaves nothing to weigh.
    if (slots === 1) continue;
    tensors.set(`${cross}.q_norm.weight`, balancedNorm(layout));
    tensors.set(`${cross}.q_proj.weight`, new Float32Array(width * width));
  }
  tensors.set(`${PREFIX}.norm.weight`, new Float32Array(width).fill(1));
  return tensors;
}
