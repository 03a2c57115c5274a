/** @module A disk cache of the source's states for rows that repeat. Its file is removed when the run ends. */
import { openScratchFile } from '../../fs/index.js';
import { fromFloat32, toFloat32 } from '../../safetensors/index.js';

export interface StateCache {
  /** Rounds states as storing them does. Computed states are rounded too, so that a resumed run gets the same values as an uninterrupted one. */
  rounded(states: Float32Array): Float32Array;
  /** Whether the row of this number is cached. */
  has(number: number): boolean;
  /** The states of a cached row [tokens, width]. */
  read(number: number): Promise<Float32Array>;
  /** Stores a row's states, unless the row is padding (a negative number), is cached already, or exceeds the space limit. */
  store(number: number, states: Float32Array): Promise<void>;
  close(): Promise<void>;
}

export interface StateCacheOptions {
  readonly path: string;
  /** How much disk space the cache may take. */
  readonly maxBytes: number;
}

/** bfloat16's relative error of 2^-9 is far below what the losses resolve. */
const DTYPE = 'BF16';
const DTYPE_BYTES = 2;

/** Where a row's states are in the file, and how many values they have. */
interface StoredRow {
  readonly offset: number;
  readonly count: number;
}

/** The file is created when the first row is stored. */
export function openStateCache({ path, maxBytes }: StateCacheOptions): StateCache {
  const file = openScratchFile(path);
  const stored = new Map<number, StoredRow>();
  return {
    rounded: (states) => toFloat32(fromFloat32(states, DTYPE), DTYPE),
    has: (number) => stored.has(number),
    async read(number) {
      const { offset, count } = stored.get(number)!;
      const bytes = new Uint8Array(count * DTYPE_BYTES);
      await file.read(offset, bytes);
      return toFloat32(bytes, DTYPE);
    },
    async store(number, states) {
      const size = states.length * DTYPE_BYTES;
      if (number < 0 || stored.has(number) || file.length + size > maxBytes) return;
      stored.set(number, { offset: await file.append(fromFloat32(states, DTYPE)), count: states.length });
    },
    close: () => file.close(),
  };
}
