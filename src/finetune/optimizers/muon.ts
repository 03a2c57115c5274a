/**
 * @module Muon (Jordan et al. 2024, kellerjordan.github.io/posts/muon): momentum whose singular values are all brought near 1, for the matrices
 * of layers that are trained from nothing. Embeddings, norms and heads keep AdamW.
 */
import { MUON_STEPS } from '../../blt/index.js';
import { fuse, fuseUpdate, tf } from '../../engine/index.js';
import type { AdamWOptions, ParameterState, StepScalars } from './adamw.js';

const MOMENTUM = 0.95;
/** Of the quintic that Jordan chose: five steps bring singular values that are a hundredth of the norm, or more, to between 0.6 and 1.3. */
const [LINEAR, CUBIC, QUINTIC] = [3.4445, -4.775, 2.0315] as const;

/** x [R, C] with its singular values brought near 1, by Newton-Schulz steps on the smaller side -> [R, C]. */
export function orthogonalised(x: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    const [rows, columns] = x.shape as [number, number];
    const norm = tf.sqrt(tf.sum(tf.square(x)));
    const scaled = tf.div(x, tf.add(norm, 1e-7));
    const tall = rows > columns;
    let y = (tall ? tf.transpose(scaled) : scaled) as tf.Tensor2D;
    for (let i = 0; i < MUON_STEPS; i++) {
      const gram = tf.matMul(y, y, false, true);
      const factor = tf.add(tf.mul(gram, CUBIC), tf.mul(tf.matMul(gram, gram), QUINTIC)) as tf.Tensor2D;
      y = tf.add(tf.mul(y, LINEAR), tf.matMul(factor, y));
    }
    return tall ? tf.transpose(y) : y;
  });
}

/**
 * One update of one matrix [out, in], in place: by the rate times sqrt(max(1, out / in)), which keeps how far outputs move alike over shapes.
 * The momentum is Nesterov's, and the decay decoupled, as AdamW's is.
 */
export function updateMuonParameter(
  { group, value, first }: ParameterState,
  gradient: tf.Tensor,
  { learningRate, gradientScale }: StepScalars,
  { weightDecay }: Pick<AdamWOptions, 'weightDecay'>,
): void {
  const [rows, columns] = value.shape as [number, number];
  const decay = group.decay ? weightDecay : 0;
  const { learningRateScale } = group;
  tf.tidy(() => {
    const before = first.read();
    const [momentum, ahead] = fuse('muon momentum', [before, gradient, gradientScale], (m, g, scale) => {
      const clipped = tf.mul(g!, scale!);
      const next = tf.add(tf.mul(m!, MOMENTUM), clipped);
      return [next, tf.add(clipped, tf.mul(next, MOMENTUM))];
    });
    const direction = orthogonalised(ahead!);
    fuseUpdate(
      `muon ${learningRateScale} ${decay} ${rows} ${columns}`,
      [value, first],
      [direction, momentum!, learningRate],
      ([held], [step, next, rateOfAll]) => {
        const rate = tf.mul(rateOfAll!, learningRateScale);
        const moved = tf.mul(step!, tf.mul(rate, Math.sqrt(Math.max(1, rows / columns))));
        return [tf.sub(tf.mul(held!, tf.sub(1, tf.mul(rate, decay))), moved), next!];
      },
    );
  });
}
