/** @module The lanes of a decoding: how far each text is, where its open patch begins, which patches closed. Plain bookkeeping (blt-format 1.7). */
import { type BltConfig, hashRows, hashTables } from '../../blt/index.js';

/** One text. */
export interface Lane {
  /** Ids so far; n-grams look back into them. */
  readonly ids: number[];
  /** Patches that are closed. */
  patches: number;
  /** Where the patch that is not closed yet begins. */
  openStart: number;
}

export const emptyLane = (): Lane => ({ ids: [], patches: 0, openStart: 0 });

/** A patch that closed: positions [from, to) of a lane are the patch's bytes. */
export interface Closing {
  readonly lane: number;
  readonly patch: number;
  readonly from: number;
  readonly to: number;
}

/**
 * Takes a position into a lane.
 * @param entropy of the prediction made there, nats
 * @returns the patch that closes with it, or null: BOS is a patch of its own; later, one ends where the next byte is too uncertain, or
 * where it has its greatest length.
 */
export function advance(lane: Lane, index: number, entropy: number, { patching }: BltConfig): Closing | null {
  const position = lane.ids.length - 1;
  const to = position + 1;
  const isFull = patching.maxPatchLength !== null && to - lane.openStart >= patching.maxPatchLength;
  if (position > 0 && entropy <= patching.threshold && !isFull) return null;
  const closing = { lane: index, patch: lane.patches, from: lane.openStart, to };
  lane.patches += 1;
  lane.openStart = to;
  return closing;
}

/** Rows of the fused hash table of the last `count` positions: [count, tables]. */
export function lastHashRows({ ids }: Lane, count: number, { hash }: BltConfig): Int32Array {
  const longest = Math.max(...hash.sizes);
  const from = Math.max(0, ids.length - count - (longest - 1));
  const rows = hashRows(Int32Array.from(ids.slice(from)), hash);
  return rows.subarray(rows.length - count * hashTables(hash));
}
