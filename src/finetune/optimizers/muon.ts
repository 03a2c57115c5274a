/**
 * @module Muon (Jordan et al. 2024, kellerjordan.github.io/posts/muon): momentum whose singular values are all brought close to 1, for matrices
 * between hidden states (`trainedByMuon`). Embeddings, norms and heads are updated by AdamW. The update is that of torch.optim.Muon.
 */
import { MUON_STEPS } from '../../blt/index.js';
import { fuseUpdate, productOperands, tf } from '../../engine/index.js';
import type { AdamWOptions, ParameterState, StepScalars } from './adamw.js';

const MOMENTUM = 0.95;
/** Coefficients of Jordan's quintic: five steps bring singular values of at least 1 % of the matrix's norm to between 0.6 and 1.3. */
const [LINEAR, CUBIC, QUINTIC] = [3.4445, -4.775, 2.0315] as const;

/**
 * x [R, C] with its singular values brought close to 1 -> [R, C], by Newton-Schulz iterations with the Gram matrix of the shorter side. Products
 * run in the current precision; Jordan's coefficients were chosen for bfloat16.
 */
export function orthogonalised(x: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    const [rows, columns] = x.shape as [number, number];
    const norm = tf.sqrt(tf.sum(tf.square(x)));
    const scaled = tf.div(x, tf.add(norm, 1e-7));
    const tall = rows > columns;
    const { narrow, product } = productOperands();
    let y = tall ? tf.transpose(scaled) : scaled;
    for (let i = 0; i < MUON_STEPS; i++) {
      const narrowed = narrow(y);
      const gram = product(narrowed, narrowed, false, true);
      const narrowedGram = narrow(gram);
      const square = product(narrowedGram, narrowedGram, false, false);
      const factor = tf.add(tf.mul(gram, CUBIC), tf.mul(square, QUINTIC));
      y = tf.add(tf.mul(y, LINEAR), product(narrow(factor), narrowed, false, false));
    }
    return tall ? tf.transpose(y) : y;
  });
}

/**
 * Updates a matrix [out, in] and its momentum in place. The step is the learning rate times sqrt(max(1, out / in)), which makes the change of the
 * outputs similar for all shapes. Momentum is Nesterov's; weight decay is decoupled, as in AdamW.
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
    // The momentum is updated first, so that only what is orthogonalised stays in memory until the matrix's turn comes.
    const [ahead] = fuseUpdate('muon momentum', [first], [gradient, gradientScale], ([m], [g, scale]) => {
      const clipped = tf.mul(g!, scale!);
      const next = tf.add(tf.mul(m!, MOMENTUM), clipped);
      return [next, tf.add(clipped, tf.mul(next, MOMENTUM))];
    });
    fuseUpdate(
      `muon ${learningRateScale} ${decay} ${rows} ${columns}`,
      [value],
      [orthogonalised(ahead!), learningRate],
      ([current], [step, rateOfAll]) => {
        const rate = tf.mul(rateOfAll!, learningRateScale);
        const change = tf.mul(step!, tf.mul(rate, Math.sqrt(Math.max(1, rows / columns))));
        return [tf.sub(tf.mul(current!, tf.sub(1, tf.mul(rate, decay))), change)];
      },
    );
  });
}
