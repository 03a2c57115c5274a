/** @module Calls a function of tensors by groups that have names, where a traced function takes one list. */
import type { RetracedFunction, tf } from '../../engine/index.js';

/** Tensors by the name of their group. */
export type TensorGroups = Readonly<Record<string, readonly tf.Tensor[]>>;

/**
 * @param groups the inputs; they must stay alive until the promise settles.
 * @param body gives the outputs of such groups. It is traced: see `RetracedFunction`.
 * @returns what the body gave, in its order; the caller disposes it.
 */
export async function callGrouped<G extends TensorGroups>(
  fn: RetracedFunction,
  groups: G,
  body: (groups: G) => readonly tf.Tensor[],
  key = '',
): Promise<tf.Tensor[]> {
  const counts = Object.entries(groups).map(([name, tensors]) => [name, tensors.length] as const);
  const grouped = (inputs: readonly tf.Tensor[]) => {
    const left = [...inputs];
    return Object.fromEntries(counts.map(([name, count]) => [name, left.splice(0, count)])) as unknown as G;
  };
  const inputs = Object.values(groups).flat();
  return await fn.call((given) => body(grouped(given)), inputs, `${key} ${JSON.stringify(counts)}`);
}
