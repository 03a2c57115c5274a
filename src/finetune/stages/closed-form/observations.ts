/** @module Observed texts in a scratch file: fitting the n-gram tables reads them once per table, in memory that does not grow with the text. */

import { openScratchFile } from '../../../fs/index.js';
import type { ObservedText } from './residual-backoff.js';

export interface Observations {
  add(text: ObservedText): Promise<void>;
  /** All texts in the order in which they were added. They can be read any number of times. */
  texts(): AsyncIterable<ObservedText>;
  close(): Promise<void>;
}

/** What stays in memory for each text: where its arrays are in the file, and their lengths. */
interface StoredText {
  readonly offset: number;
  readonly positions: number;
  readonly weight: number;
  readonly isWhole: boolean;
  /** The length of the text's own vectors; null if it refers to the shared ones. */
  readonly own: number | null;
}

/** @param shared vectors that texts may refer to; they are not written to the file. */
export function openObservations(path: string, shared: Float32Array | null = null): Observations {
  const file = openScratchFile(path);
  const stored: StoredText[] = [];
  return {
    async add({ ids, vector, scalar, vectors, weight, isWhole }) {
      const own = vectors === shared ? null : vectors;
      const offset = await file.append(ids, vector, scalar, ...(own === null ? [] : [own]));
      stored.push({ offset, positions: ids.length, weight, isWhole, own: own?.length ?? null });
    },
    async *texts() {
      for (const { offset, positions, own, ...same } of stored) {
        const [ids, vector] = [new Int32Array(positions), new Int32Array(positions)];
        const scalar = new Float32Array(positions);
        const vectors = own === null ? shared! : new Float32Array(own);
        await file.read(offset, ids, vector, scalar, ...(own === null ? [] : [vectors]));
        yield { ids, vector, scalar, vectors, ...same };
      }
    },
    close: () => file.close(),
  };
}
