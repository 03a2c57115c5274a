/** @module The source's next-byte distribution, from its next-token distribution over a vocabulary sorted by bytes. */
import { rangeSums, tf, untaped } from '../engine/index.js';

/** Below this, cumulative sums no longer tell a mass to three digits. */
const LEAST_MASS = 1e-12;

/**
 * q_n(b) = P(s_n b) / sum_b' P(s_n b'), where P(s) is the mass of the tokens that begin with the bytes s, and s_n the bytes of the token
 * so far. Those tokens are one range of the sorted vocabulary. The mass of "the token ends here" is dropped: unbiased, because the text
 * is a sample of the path. A row that has less than 1e-12 of mass, as padding has, is all zeros. No gradient.
 * @param sourceLogits [T, V] over the ordinary tokens in the order of their bytes. @param states int32 [N], the row of the logits.
 * @param bounds int32 [N, 257]: the tokens that go on with byte b are bounds[n, b] up to bounds[n, b + 1].
 * @returns [N, 256].
 */
export function prefixMarginals(sourceLogits: tf.Tensor, states: tf.Tensor, bounds: tf.Tensor): tf.Tensor {
  const marginals = (logits: tf.Tensor) => {
    const sums = rangeSums(tf.softmax(logits), states, bounds);
    const mass = tf.sum(sums, -1, true);
    return tf.where(tf.greater(mass, LEAST_MASS), tf.div(sums, tf.maximum(mass, LEAST_MASS)), tf.zerosLike(sums));
  };
  return untaped(marginals, sourceLogits);
}
