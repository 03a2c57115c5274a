/** @module Counts the parameters of a BLT by part, from its list of tensors. */

import { type BltConfig, bltTensors, type Part } from '../blt/index.js';
import { elementCount } from '../safetensors/index.js';

export type PartParameters = Readonly<Record<Part, number>>;

/** Counts every tensor in a checkpoint of this config (blt-format 3.1). */
export function parametersByPart(config: BltConfig): PartParameters {
  const counts: Record<Part, number> = { encoder: 0, hash: 0, global: 0, decoder: 0, head: 0, patcher: 0 };
  for (const { part, shape } of bltTensors(config)) counts[part] += elementCount(shape);
  return counts;
}

export function sumParameters(counts: PartParameters, parts: Iterable<Part> = Object.keys(counts) as Part[]): number {
  return [...parts].reduce((sum, part) => sum + counts[part], 0);
}
