/** @module Several checkpoints read as one: a tensor comes from the first that has it. */

import { ByteifyError } from '../errors.js';
import type { TensorInfo, TensorReader } from './types.js';

/** @param readers the first wins. Closing the overlay closes them. */
export function overlay(readers: readonly TensorReader[]): TensorReader {
  const tensors = new Map<string, TensorInfo>();
  for (const reader of [...readers].reverse()) for (const [name, info] of reader.tensors) tensors.set(name, info);
  return {
    tensors,
    metadata: {},
    read(name, range) {
      const reader = readers.find((candidate) => candidate.tensors.has(name));
      if (reader === undefined) throw new ByteifyError(`the checkpoint lacks the tensor ${name}`);
      return reader.read(name, range);
    },
    async close() {
      for (const reader of readers) await reader.close();
    },
  };
}
