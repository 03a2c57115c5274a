/** @module Binary cross-entropy with logits. */
import { tf } from '../../engine/index.js';
import { fusedLoss } from './fused-loss.js';

/**
 * sum_n weights[n] * BCE(sigmoid(logits[n]), labels[n]) in nats -> scalar, computed as max(z, 0) - z y + log(1 + e^-|z|). Only the logits
 * receive a gradient: weights * (sigmoid(z) - y). All inputs are [N]; labels are from 0 to 1.
 */
export function binaryCrossEntropySum(logits: tf.Tensor, labels: tf.Tensor, weights: tf.Tensor): tf.Tensor {
  const crossEntropy = (z: tf.Tensor, y: tf.Tensor, w: tf.Tensor): [tf.Tensor, tf.Tensor] => {
    const rows = tf.add(tf.sub(tf.relu(z), tf.mul(z, y)), tf.softplus(tf.neg(tf.abs(z))));
    return [tf.sum(tf.mul(w, rows)), tf.mul(w, tf.sub(tf.sigmoid(z), y))];
  };
  return fusedLoss('binary cross-entropy', (z, y, w) => crossEntropy(z, y!, w!), logits, [labels, weights]);
}
