/** @module What a patcher says of each position: how uncertain the next byte is, and, if it is aligned, whether a token ends here. */
import type { TransformerConfig } from '../../blt/index.js';
import { linear, tf } from '../../engine/index.js';
import type { ByteTensors } from '../batch-tensors.js';
import { type Params, param } from '../params.js';
import { entropyOf, patcherHead, patcherHidden } from './patcher.js';
import { TOKEN_END_HEAD } from './token-end-head.js';

/** Logits [positions] of a token's end at each position, from the patcher's normed hidden states [positions, hidden]. */
export function tokenEndLogits(params: Params, hidden: tf.Tensor): tf.Tensor {
  return tf.reshape(linear(hidden, param(params, TOKEN_END_HEAD)), [-1]);
}

/** PatcherRunner in nats [positions] and, where the parameters have a token-end head, probabilities of a token's end [positions]. */
export function patcherOutput(params: Params, config: TransformerConfig, batch: ByteTensors): tf.Tensor[] {
  const hidden = patcherHidden(params, config, batch);
  const entropies = entropyOf(patcherHead(params, hidden));
  return params.has(TOKEN_END_HEAD) ? [entropies, tf.sigmoid(tokenEndLogits(params, hidden))] : [entropies];
}
