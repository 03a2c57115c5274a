/** @module The term that pulls the patcher's entropy over the threshold where a patch must close, and under it elsewhere. */
import { tf } from '../../engine/index.js';
import { binaryCrossEntropySum } from './binary-cross-entropy.js';

export interface Boundary {
  /** Entropy in nats beyond which a patch closes. */
  readonly threshold: number;
  /** Nats of entropy for one unit of the logit. */
  readonly temperature: number;
}

/**
 * sum_n weights[n] * BCE(sigmoid((H_n - threshold) / temperature), labels[n]) in nats -> scalar, with a gradient to the entropies H alone.
 * @param entropies nats [N] (entropyOf). @param labels [N]: 1 where a patch must close behind the byte, 0 elsewhere. @param weights [N].
 */
export function boundaryLoss(
  entropies: tf.Tensor,
  labels: tf.Tensor,
  weights: tf.Tensor,
  { threshold, temperature }: Boundary,
): tf.Tensor {
  return binaryCrossEntropySum(tf.div(tf.sub(entropies, threshold), temperature), labels, weights);
}
