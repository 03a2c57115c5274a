/** @module Log-probabilities of the target bytes under the student and under the source. The chunk likelihood sums them over a chunk. */
import { BYTE_OFFSET } from '../blt/index.js';
import { crossEntropyRows, tf, untaped } from '../engine/index.js';

/** Keeps the logarithm finite for bytes that the source considers impossible. */
const MIN_PROBABILITY = 1e-30;

/** The student's log p(target) in nats: logits [N, 260] and target ids, int32 [N] -> [N]. */
export function byteLogProbabilities(byteLogits: tf.Tensor, targets: tf.Tensor): tf.Tensor {
  return tf.neg(crossEntropyRows(byteLogits, targets));
}

/**
 * The source's log q(target) in nats, at least log 1e-30: prefix marginals [N, 256] and target ids, int32 [N] -> [N]. No gradient. The values
 * of special ids are meaningless: give those positions no weight and no chunk.
 */
export function sourceLogProbabilities(marginals: tf.Tensor, targets: tf.Tensor): tf.Tensor {
  const logarithms = (q: tf.Tensor) => {
    const bytes = tf.maximum(tf.sub(targets, tf.scalar(BYTE_OFFSET, 'int32')), tf.scalar(0, 'int32'));
    const ofTarget = tf.gather(q, tf.expandDims(bytes, 1) as tf.Tensor2D, 1, 1);
    return tf.log(tf.maximum(tf.squeeze(ofTarget, [1]), MIN_PROBABILITY));
  };
  return untaped(logarithms, marginals);
}
