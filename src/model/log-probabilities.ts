/** @module Log-probabilities of the bytes that came, by the student and by the source: what chunks add up. */
import { BYTE_OFFSET } from '../blt/index.js';
import { crossEntropyRows, tf, untaped } from '../engine/index.js';

/** What the source takes for impossible still has a logarithm. */
const LEAST_PROBABILITY = 1e-30;

/** The student's log p(target) in nats: logits [N, 260], target ids int32 [N] -> [N]. */
export function byteLogProbabilities(byteLogits: tf.Tensor, targets: tf.Tensor): tf.Tensor {
  return tf.neg(crossEntropyRows(byteLogits, targets));
}

/**
 * The source's log q(target) in nats: prefix marginals [N, 256], target ids int32 [N] -> [N], at least log 1e-30. No gradient. What a
 * special id gets means nothing: give it no weight, and no chunk.
 */
export function sourceLogProbabilities(marginals: tf.Tensor, targets: tf.Tensor): tf.Tensor {
  const logarithms = (q: tf.Tensor) => {
    const bytes = tf.maximum(tf.sub(targets, tf.scalar(BYTE_OFFSET, 'int32')), tf.scalar(0, 'int32'));
    const came = tf.gather(q, tf.expandDims(bytes, 1) as tf.Tensor2D, 1, 1);
    return tf.log(tf.maximum(tf.squeeze(came, [1]), LEAST_PROBABILITY));
  };
  return untaped(logarithms, marginals);
}
