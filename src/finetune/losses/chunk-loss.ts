/**
 * @module The divergence between the probabilities that student and source assign to a chunk of text (ALM, arXiv 2503.20083, section 3; used
 * in Bolmo's stage 1, arXiv 2512.15586, section 3.2.1).
 */
import { segmentSum, tf, untaped } from '../../engine/index.js';
import { fusedLoss } from './fused-loss.js';

/** Nats. It is subtracted from log-probabilities so that a probability stays below 1. */
const EPSILON = 1e-6;

export interface ChunkLossInputs {
  /** log p(byte) in nats [N]. */
  readonly studentLogProbabilities: tf.Tensor;
  /** log q(byte) in nats [N]. */
  readonly sourceLogProbabilities: tf.Tensor;
  /** int32 [N]: the chunk of each byte, or C if the byte is in no chunk. */
  readonly chunkOfByte: tf.Tensor;
  /** [C]. */
  readonly chunkWeights: tf.Tensor;
  /** Divides log-probabilities, so that the tiny probabilities of long chunks remain distinguishable (Bolmo: 5). */
  readonly temperature: number;
}

/** log(1 - e^x) for x < 0, accurate both near 0 and far from it (Maechler 2012). */
function log1mexp(x: tf.Tensor): tf.Tensor {
  return tf.where(tf.greater(x, -Math.LN2), tf.log(tf.neg(tf.expm1(x))), tf.log1p(tf.neg(tf.exp(x))));
}

/**
 * sum_c w_c * KL(Bernoulli(e^u_c) || Bernoulli(e^v_c)) -> scalar. Only v receives a gradient: w (e^v - e^u) / (1 - e^v). All inputs are [C];
 * u, v < 0.
 */
function binaryKl(v: tf.Tensor, u: tf.Tensor, weights: tf.Tensor): tf.Tensor {
  const divergence = (student: tf.Tensor, source: tf.Tensor, w: tf.Tensor): [tf.Tensor, tf.Tensor] => {
    const [lessStudent, lessSource] = [tf.expm1(student), tf.expm1(source)];
    const is = tf.mul(tf.exp(source), tf.sub(source, student));
    const isNot = tf.mul(tf.neg(lessSource), tf.sub(log1mexp(source), log1mexp(student)));
    const slope = tf.div(tf.sub(lessStudent, lessSource), tf.neg(lessStudent));
    return [tf.sum(tf.mul(w, tf.add(is, isNot))), tf.mul(w, slope)];
  };
  return fusedLoss('binary kl', (x, y, w) => divergence(x, y!, w!), v, [u, weights]);
}

/**
 * The binary divergence of the chunk probabilities, softened by the temperature tau. With u_c = (sum of the source's log-probabilities over the
 * bytes of chunk c) / tau - 1e-6 and v_c likewise for the student, it is
 * sum_c weights[c] * [e^u (u - v) + (1 - e^u) (log(1 - e^u) - log(1 - e^v))] in nats -> scalar. Only the student receives a gradient.
 */
export function chunkLoss(inputs: ChunkLossInputs): tf.Tensor {
  const { chunkOfByte, chunkWeights, temperature } = inputs;
  const chunks = chunkWeights.shape[0]!;
  const ofChunks = (ofBytes: tf.Tensor) => {
    const sums = tf.slice(segmentSum(ofBytes, chunkOfByte, chunks + 1), [0], [chunks]);
    // Rounding can raise a sum of log-probabilities near 0 above 0.
    return tf.sub(tf.div(tf.minimum(sums, 0), temperature), EPSILON);
  };
  const source = untaped(ofChunks, inputs.sourceLogProbabilities);
  return binaryKl(ofChunks(inputs.studentLogProbabilities), source, chunkWeights);
}
