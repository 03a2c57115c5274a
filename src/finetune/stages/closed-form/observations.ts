/** @module Observed texts on disk: the fit of n-gram tables passes over them once a table, in memory that does not grow with them. */

import { openScratchFile } from '../../../fs/index.js';
import type { ObservedText } from './residual-backoff.js';

export interface Observations {
  add(text: ObservedText): Promise<void>;
  /** All texts, in order. Any number of passes. */
  texts(): AsyncIterable<ObservedText>;
  close(): Promise<void>;
}

/** What is remembered of a text: where its arrays lie, and how long they are. */
interface Place {
  readonly offset: number;
  readonly positions: number;
  readonly weight: number;
  readonly isWhole: boolean;
  /** Numbers of the text's own vectors; null when it points into the shared ones. */
  readonly own: number | null;
}

/** @param shared vectors that texts may point into: they are not written. */
export function openObservations(path: string, shared: Float32Array | null = null): Observations {
  const file = openScratchFile(path);
  const places: Place[] = [];
  return {
    async add({ ids, vector, scalar, vectors, weight, isWhole }) {
      const own = vectors === shared ? null : vectors;
      const offset = await file.append(ids, vector, scalar, ...(own === null ? [] : [own]));
      places.push({ offset, positions: ids.length, weight, isWhole, own: own?.length ?? null });
    },
    async *texts() {
      for (const { offset, positions, own, ...same } of places) {
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
