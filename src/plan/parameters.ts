/** @module Counts the parameters of a BLT by part, from its list of tensors. */

import { type BltConfig, bltTensors, type Part, type TensorSpec } from '../blt/index.js';
import { elementCount } from '../safetensors/index.js';

export type PartParameters = Readonly<Record<Part, number>>;

/** Counts every tensor in a checkpoint of this config (blt-format 3.1). */
export function parametersByPart(config: BltConfig): PartParameters {
  return countsOf(bltTensors(config));
}

/** Counts the tensors that a training reads and can train: those that an output depends on. */
export function usedParametersByPart(config: BltConfig): PartParameters {
  return countsOf(bltTensors(config).filter(({ unused }) => !unused));
}

function countsOf(specs: readonly TensorSpec[]): PartParameters {
  const counts: Record<Part, number> = { encoder: 0, hash: 0, global: 0, decoder: 0, head: 0, patcher: 0 };
  for (const { part, shape } of specs) counts[part] += elementCount(shape);
  return counts;
}

export function sumParameters(counts: PartParameters, parts: Iterable<Part> = Object.keys(counts) as Part[]): number {
  return [...parts].reduce((sum, part) => sum + counts[part], 0);
}
