/** @module The source's states of rows that come again, kept in a file that goes with the run. */
import { openScratchFile } from '../../fs/index.js';
import { fromFloat32, toFloat32 } from '../../safetensors/index.js';

export interface StateCache {
  /** States as a reader of the cache gets them, whether they were kept or are computed: a run that resumes sees what it would have seen. */
  rounded(states: Float32Array): Float32Array;
  /** Whether the row of this number is kept. */
  has(number: number): boolean;
  /** The states of a row that is kept [tokens, width]. */
  read(number: number): Promise<Float32Array>;
  /** Keeps a row's states unless it is padding (a negative number), kept already, or more than the disk may hold. */
  keep(number: number, states: Float32Array): Promise<void>;
  close(): Promise<void>;
}

export interface StateCacheOptions {
  readonly path: string;
  /** Disk that it may take. */
  readonly maxBytes: number;
}

/** bfloat16: relative errors of 2^-9, far below what the states are read with. */
const STORED = 'BF16';
const STORED_BYTES = 2;

/** Where a row lies in the file, and how many numbers its states are. */
interface Place {
  readonly offset: number;
  readonly count: number;
}

/** The file is made when the first row is kept. */
export function openStateCache({ path, maxBytes }: StateCacheOptions): StateCache {
  const file = openScratchFile(path);
  const places = new Map<number, Place>();
  return {
    rounded: (states) => toFloat32(fromFloat32(states, STORED), STORED),
    has: (number) => places.has(number),
    async read(number) {
      const { offset, count } = places.get(number)!;
      const bytes = new Uint8Array(count * STORED_BYTES);
      await file.read(offset, bytes);
      return toFloat32(bytes, STORED);
    },
    async keep(number, states) {
      const size = states.length * STORED_BYTES;
      if (number < 0 || places.has(number) || file.length + size > maxBytes) return;
      places.set(number, { offset: await file.append(fromFloat32(states, STORED)), count: states.length });
    },
    close: () => file.close(),
  };
}
