/** @module Divides the inputs among parts: every item belongs to exactly one part, and each part can tell alone which are its own. */
import type { PlannedInput, Position } from '../data/index.js';
import type { Part } from '../part.js';
import { STDIN } from './input.js';

export interface Division {
  input(index: number): boolean;
  item(at: Position): boolean;
}

const EVERYTHING: Division = { input: () => true, item: () => true };

/** The part of each input: the largest inputs first, each to the part that has the fewest bytes so far. */
function partsBySize(inputs: readonly Pick<PlannedInput, 'size_bytes'>[], parts: number): Int32Array {
  const sizes = inputs.map(({ size_bytes }) => size_bytes ?? 0);
  const order = sizes.map((_, i) => i).sort((a, b) => sizes[b]! - sizes[a]! || a - b);
  const loads = new Float64Array(parts);
  const partOf = new Int32Array(inputs.length);
  for (const input of order) {
    const part = loads.indexOf(Math.min(...loads));
    partOf[input] = part;
    // An empty file takes time as well.
    loads[part] = loads[part]! + Math.max(1, sizes[input]!);
  }
  return partOf;
}

/**
 * The division of one part. With at least as many inputs as parts, each part reads inputs of its own. With fewer, every part reads all inputs and
 * takes every `parts`-th item. Standard input is a part's own.
 */
export function divide(inputs: readonly Pick<PlannedInput, 'name' | 'size_bytes'>[], { part, parts }: Part): Division {
  if (parts === 1 || inputs[0]?.name === STDIN) return EVERYTHING;
  if (inputs.length < parts) return { input: () => true, item: ({ input, item }) => (input + item) % parts === part };
  const partOf = partsBySize(inputs, parts);
  return { input: (index) => partOf[index] === part, item: () => true };
}
