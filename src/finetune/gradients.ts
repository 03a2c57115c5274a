/** @module Gradients of a step: accumulated over micro-batches and clipped by their global norm. */
import { attribute, rawOp, tf } from '../engine/index.js';
import type { Slot } from './adamw.js';

/** A loss over named parameters, already divided so that micro-batches add up to the step's mean. */
export type Loss = (values: ReadonlyMap<string, tf.Tensor>) => tf.Scalar;

export interface StepGradients {
  /** Nats, the mean over the step's weighted positions. */
  readonly loss: number;
  /** One a slot, in the slots' order. The caller disposes them. */
  readonly gradients: tf.Tensor[];
}

/** Adds up the gradients of several losses. Yields to the event loop between them, so that signals are heard. */
export async function accumulate(slots: readonly Slot[], losses: Iterable<Loss>): Promise<StepGradients> {
  let total = 0;
  let sums: tf.Tensor[] | null = null;
  for (const loss of losses) {
    const names = slots.map(({ name }) => name);
    const of = (...values: tf.Tensor[]) => loss(new Map(values.map((value, i) => [names[i]!, value])));
    const { value, grads } = tf.valueAndGrads(of)(slots.map((slot) => slot.value));
    total += value.dataSync()[0]!;
    value.dispose();
    sums = sums === null ? grads : addInto(sums, grads);
    await new Promise(setImmediate);
  }
  return { loss: total, gradients: sums ?? [] };
}

function addInto(sums: tf.Tensor[], parts: tf.Tensor[]): tf.Tensor[] {
  return sums.map((sum, i) => {
    const out = tf.add(sum, parts[i]!);
    tf.dispose([sum, parts[i]!]);
    return out;
  });
}

/** The Euclidean norm of all gradients together. */
export function globalNorm(gradients: readonly tf.Tensor[]): number {
  let sum = 0;
  for (const gradient of gradients) {
    const [half] = rawOp('L2Loss', [attribute.type('T', 'float32')], [gradient]);
    sum += 2 * half!.dataSync()[0]!;
    half!.dispose();
  }
  return Math.sqrt(sum);
}

/**
 * Scales gradients so that their global norm is at most `limit` (torch.nn.utils.clip_grad_norm_, with its 1e-6).
 * @returns the scaled gradients; the given ones are disposed when they were replaced.
 */
export function clip(gradients: tf.Tensor[], norm: number, limit: number): tf.Tensor[] {
  const scale = limit / (norm + 1e-6);
  if (scale >= 1) return gradients;
  return gradients.map((gradient) => {
    const scaled = tf.mul(gradient, scale);
    gradient.dispose();
    return scaled;
  });
}
