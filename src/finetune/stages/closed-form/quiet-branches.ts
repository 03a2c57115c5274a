/**
 * @module Makes the idle branches of the local models quiet. Their output matrices are zero, so nothing that enters them counts yet; but the
 * first gradient steps move each element of such a matrix by the learning rate, all in step, and a state changes by that times the sum of what
 * enters. With inputs this small, the usual rates change states by little, and a branch grows as its inner matrices learn.
 */
import { type BltConfig, bltTensors } from '../../../blt/index.js';
import { tf, valuesOf } from '../../../engine/index.js';
import type { Params } from '../../../model/index.js';
import type { Tensors } from './encoder-tensors.js';

/** What the matrices before the idle outputs are multiplied by. */
const QUIET_SHARE = 1 / 32;

/**
 * The matrices whose results idle outputs read linearly: of self-attention, of feed-forward networks, and of the decoder's cross-attention after
 * the first, which is fitted.
 */
const INNER =
  /^model\.local_((en|de)coder\.layers\.\d+\.(self_attn\.v_proj|mlp\.up_proj)|decoder\.cross_attn_layers\.[1-9]\d*\.v_proj)\.weight$/;

/** @param params the unfinished model, whose blocks are all idle. @returns the matrices that are made smaller. */
export function quietBranches(config: BltConfig, params: Params): Tensors {
  const inner = bltTensors(config).filter(({ name, unused }) => !unused && INNER.test(name));
  return new Map(inner.map(({ name }) => [name, valuesOf(() => tf.mul(params.get(name)!, QUIET_SHARE))]));
}
