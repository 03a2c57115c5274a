/** @module The logarithm of a softmax's denominator, on the host. */

/** log(sum of exp(logit)): a logit minus this is the log-probability of its id, in nats. */
export function logSumExp(logits: Float32Array): number {
  const highest = logits.reduce((most, logit) => Math.max(most, logit), Number.NEGATIVE_INFINITY);
  return highest + Math.log(logits.reduce((total, logit) => total + Math.exp(logit - highest), 0));
}
