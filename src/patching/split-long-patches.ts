/** @module Applies max_patch_length to patches in the canonical form (blt-format 1.7): a longer patch is split into patches of lengths m, m, ..., rest. */
import { patchLengths } from '../blt/index.js';

/**
 * @param starts canonical patch starts of N positions @param count N @param maxLength m, or null for no limit
 * @returns the starts and lengths after splitting; lengths sum to N + 1
 */
export function splitLongPatches(
  starts: Int32Array,
  count: number,
  maxLength: number | null,
): { starts: Int32Array; lengths: Int32Array } {
  const lengths = patchLengths(starts, count);
  if (maxLength === null) return { starts, lengths };
  const split: number[] = [];
  let position = 0;
  for (const length of lengths) {
    for (let offset = 0; offset < length; offset += maxLength) split.push(position + offset);
    position += length;
  }
  const all = Int32Array.from(split);
  return { starts: all, lengths: patchLengths(all, count) };
}
