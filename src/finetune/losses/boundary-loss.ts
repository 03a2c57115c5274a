/** @module The boundary loss: it raises the patcher's entropy above the threshold where a patch must end and lowers it elsewhere. */
import { tf } from '../../engine/index.js';
import { binaryCrossEntropySum } from './binary-cross-entropy.js';

export interface Boundary {
  /** Nats. A patch ends where the entropy exceeds it. */
  readonly threshold: number;
  /** Nats of entropy per unit of the logit. */
  readonly temperature: number;
}

/**
 * sum_n weights[n] * BCE(sigmoid((H_n - threshold) / temperature), labels[n]) in nats -> scalar. Only the entropies H receive a gradient.
 * @param entropies [N], nats (see entropyOf). @param labels [N]: 1 where a patch must end after the byte, else 0. @param weights [N].
 */
export function boundaryLoss(
  entropies: tf.Tensor,
  labels: tf.Tensor,
  weights: tf.Tensor,
  { threshold, temperature }: Boundary,
): tf.Tensor {
  return binaryCrossEntropySum(tf.div(tf.sub(entropies, threshold), temperature), labels, weights);
}
