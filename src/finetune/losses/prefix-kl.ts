/** @module The divergence between the student's next-byte distribution and the source's (docs/distillation.md, `prefix_kl`). */
import { BYTE_OFFSET } from '../../blt/index.js';
import { tf } from '../../engine/index.js';
import { fusedLoss } from './fused-loss.js';

/** The smallest positive normal float32. */
const SMALLEST_NORMAL = 1.1754944e-38;

/**
 * sum_n weights[n] * KL(q_n || p_n) in nats -> scalar, with p_n = softmax(byteLogits[n]) over all 260 ids and 0 log 0 = 0. Only the logits
 * receive a gradient: weights[n] * (p_n * sum(q_n) - q_n). A row of zeros in q adds nothing.
 * @param byteLogits [N, 260]. @param marginals q [N, 256]: byte b has id b + 4. @param weights [N].
 */
export function prefixKl(byteLogits: tf.Tensor, marginals: tf.Tensor, weights: tf.Tensor): tf.Tensor {
  const divergence = (logits: tf.Tensor, q: tf.Tensor, w: tf.Tensor): [tf.Tensor, tf.Tensor] => {
    const wanted = tf.pad(q, [
      [0, 0],
      [BYTE_OFFSET, 0],
    ]);
    const weight = tf.expandDims(w, 1);
    const logP = tf.logSoftmax(logits);
    const logQ = tf.log(tf.maximum(wanted, SMALLEST_NORMAL));
    const loss = tf.sum(tf.mul(weight, tf.mul(wanted, tf.sub(logQ, logP))));
    const slope = tf.sub(tf.mul(tf.exp(logP), tf.sum(wanted, -1, true)), wanted);
    return [loss, tf.mul(weight, slope)];
  };
  return fusedLoss('prefix kl', (x, q, w) => divergence(x, q!, w!), byteLogits, [marginals, weights]);
}
