/**
 * @module The divergence of the probabilities that student and source give a chunk of text (ALM, arXiv 2503.20083, section 3; in Bolmo's
 * stage 1, arXiv 2512.15586, section 3.2.1).
 */
import { segmentSum, tf, untaped } from '../../engine/index.js';
import { fusedLoss } from './fused-loss.js';

/** Keeps a probability below 1, in nats. */
const EPSILON = 1e-6;

export interface ChunkLossInputs {
  /** log p(byte) in nats [N]. */
  readonly studentLogProbabilities: tf.Tensor;
  /** log q(byte) in nats [N]. */
  readonly sourceLogProbabilities: tf.Tensor;
  /** int32 [N]: the chunk of each byte, or C for a byte of none. */
  readonly chunkOfByte: tf.Tensor;
  /** [C]. */
  readonly chunkWeights: tf.Tensor;
  /** Divides log-probabilities, so that the small ones of long chunks still tell apart (Bolmo: 5). */
  readonly temperature: number;
}

/** log(1 - e^x) for x < 0 (Maechler 2012): without loss of digits at either end. */
function log1mexp(x: tf.Tensor): tf.Tensor {
  return tf.where(tf.greater(x, -Math.LN2), tf.log(tf.neg(tf.expm1(x))), tf.log1p(tf.neg(tf.exp(x))));
}

/** sum_c w_c * KL(Bernoulli(e^u_c) || Bernoulli(e^v_c)) -> scalar, with a gradient to v: w (e^v - e^u) / (1 - e^v). All [C], u, v < 0. */
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
 * The binary divergence of each chunk's probability at temperature tau: u = log y / tau - 1e-6 with log y the sum of the source's log
 * probabilities over the chunk's bytes, v likewise of the student's, and
 * sum_c weights[c] * [e^u (u - v) + (1 - e^u) (log(1 - e^u) - log(1 - e^v))] in nats -> scalar. The gradient goes to the student alone.
 */
export function chunkLoss(inputs: ChunkLossInputs): tf.Tensor {
  const { chunkOfByte, chunkWeights, temperature } = inputs;
  const chunks = chunkWeights.shape[0]!;
  const ofChunks = (ofBytes: tf.Tensor) => {
    const sums = tf.slice(segmentSum(ofBytes, chunkOfByte, chunks + 1), [0], [chunks]);
    // A sum of rounded logarithms of nearly 1 may come out above 0.
    return tf.sub(tf.div(tf.minimum(sums, 0), temperature), EPSILON);
  };
  const source = untaped(ofChunks, inputs.sourceLogProbabilities);
  return binaryKl(ofChunks(inputs.studentLogProbabilities), source, chunkWeights);
}
