/** @module Calls a traced function, which takes one flat list of tensors, with named groups of tensors. */
import type { RetracedFunction, tf } from '../../engine/index.js';

/** Tensors by the name of their group. */
export type TensorGroups = Readonly<Record<string, readonly tf.Tensor[]>>;

/**
 * @param groups the inputs. They must stay alive until the promise settles.
 * @param body computes the outputs from the groups. It is traced: see `RetracedFunction`.
 * @returns the outputs of `body`, in order. The caller disposes them.
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
