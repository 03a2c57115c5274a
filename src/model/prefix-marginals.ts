/** @module The source's next-byte distribution, from its next-token distribution over a vocabulary sorted by bytes. */
import { rangeSums, tf, untaped } from '../engine/index.js';

/** Below this mass, a difference of cumulative sums is accurate to fewer than three digits. */
const MIN_MASS = 1e-12;

/**
 * q_n(b) = P(s_n b) / sum_b' P(s_n b'), where P(s) is the mass of the tokens that begin with the bytes s, and s_n are the bytes of the token
 * so far. Those tokens are one range of the sorted vocabulary. The mass of "the token ends here" is dropped, which is unbiased because the text
 * itself samples where tokens end. A row with less than 1e-12 of mass, such as padding, is all zeros. No gradient.
 * @param sourceLogits [T, V] over the ordinary tokens, sorted by their bytes
 * @param states the row of the logits for each position, int32 [N]
 * @param bounds int32 [N, 257]: the tokens that continue with byte b have the ranks bounds[n, b] to bounds[n, b + 1] - 1
 * @returns [N, 256]
 */
export function prefixMarginals(sourceLogits: tf.Tensor, states: tf.Tensor, bounds: tf.Tensor): tf.Tensor {
  const marginals = (logits: tf.Tensor) => {
    const sums = rangeSums(tf.softmax(logits), states, bounds);
    const mass = tf.sum(sums, -1, true);
    return tf.where(tf.greater(mass, MIN_MASS), tf.div(sums, tf.maximum(mass, MIN_MASS)), tf.zerosLike(sums));
  };
  return untaped(marginals, sourceLogits);
}
