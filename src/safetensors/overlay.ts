/** @module Reads several checkpoints as one: each tensor comes from the first checkpoint that has it. */
import { ByteifyError } from '../errors.js';
import { quoted } from './quoted.js';
import type { TensorInfo, TensorReader } from './types.js';

/**
 * Combines readers into one.
 * @param readers in order of precedence. Closing the overlay closes them all.
 * @throws ByteifyError, on reading, for a tensor that none of them has
 */
export function overlay(readers: readonly TensorReader[]): TensorReader {
  const tensors = new Map<string, TensorInfo>();
  const homes = new Map<string, TensorReader>();
  for (const reader of [...readers].reverse()) {
    for (const [name, info] of reader.tensors) {
      tensors.set(name, info);
      homes.set(name, reader);
    }
  }
  return {
    tensors,
    metadata: {},
    async read(name, range) {
      const reader = homes.get(name);
      if (reader === undefined) throw new ByteifyError(`The checkpoint lacks the tensor ${quoted(name)}.`);
      return reader.read(name, range);
    },
    folderOf: (name) => homes.get(name)?.folderOf?.(name) ?? null,
    async close() {
      for (const reader of readers) await reader.close();
    },
  };
}
