/**
 * @module AdamW (Loshchilov and Hutter 2019, algorithm 2) over named parameters, with a learning-rate scale and a decay switch a
 * parameter. The update is that of torch.optim.AdamW.
 */
import { tf } from '../engine/index.js';

export interface AdamWOptions {
  readonly betas: readonly [number, number];
  readonly epsilon: number;
  readonly weightDecay: number;
}

/** What differs from parameter to parameter. */
export interface ParameterGroup {
  /** The learning rate is multiplied by this. */
  readonly learningRateScale: number;
  /** Norms and embeddings are not decayed. */
  readonly decay: boolean;
}

/** A parameter with its first and second moment, all of one shape. */
export interface Slot {
  readonly name: string;
  readonly group: ParameterGroup;
  value: tf.Tensor;
  first: tf.Tensor;
  second: tf.Tensor;
}

/** A slot whose moments are zero. The slot owns `value` from here on. */
export function createSlot(name: string, value: tf.Tensor, group: ParameterGroup): Slot {
  return { name, group, value, first: tf.zerosLike(value), second: tf.zerosLike(value) };
}

/**
 * One update of one parameter.
 * @param step counts from 1.
 * @param gradient is left alive.
 */
export function updateSlot(
  slot: Slot,
  gradient: tf.Tensor,
  step: number,
  learningRate: number,
  options: AdamWOptions,
): void {
  const { betas, epsilon, weightDecay } = options;
  const rate = learningRate * slot.group.learningRateScale;
  const [value, first, second] = tf.tidy(() => {
    const m = tf.add(tf.mul(slot.first, betas[0]), tf.mul(gradient, 1 - betas[0]));
    const v = tf.add(tf.mul(slot.second, betas[1]), tf.mul(tf.square(gradient), 1 - betas[1]));
    const denominator = tf.add(tf.mul(tf.sqrt(v), 1 / Math.sqrt(1 - betas[1] ** step)), epsilon);
    const change = tf.mul(tf.div(m, denominator), rate / (1 - betas[0] ** step));
    const kept = slot.group.decay ? tf.mul(slot.value, 1 - rate * weightDecay) : slot.value;
    return [tf.sub(kept, change), m, v] as [tf.Tensor, tf.Tensor, tf.Tensor];
  });
  tf.dispose([slot.value, slot.first, slot.second]);
  Object.assign(slot, { value, first, second });
}

/** Releases a slot's tensors. */
export function disposeSlot({ value, first, second }: Slot): void {
  tf.dispose([value, first, second]);
}
