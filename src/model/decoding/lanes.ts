/** @module The lanes of a decoding: how far each text is, where its patches end. Plain bookkeeping (blt-format 1.7). */
import { type BltConfig, hashRows, hashTables } from '../../blt/index.js';

/** One text. */
export interface Lane {
  /** Ids so far; n-grams look back into them. */
  readonly ids: number[];
  /** Where the patches that are closed end, exclusive. */
  readonly ends: number[];
  /** Positions that were ever written to the lane's rings, padding included, since it began. */
  farthest: number;
  /** What the patcher has read already beyond `ids`. */
  ahead: { readonly ids: readonly number[]; readonly entropies: readonly number[] };
}

const NOTHING_AHEAD = { ids: [], entropies: [] };

export const emptyLane = (): Lane => ({ ids: [], ends: [], farthest: 0, ahead: NOTHING_AHEAD });

/** The same text, to go on with apart. */
export const copiedLane = ({ ids, ends, farthest }: Lane): Lane => ({
  ids: [...ids],
  ends: [...ends],
  farthest,
  ahead: NOTHING_AHEAD,
});

/** Where the patch that is not closed yet begins. */
export const openStart = ({ ends }: Lane): number => ends.at(-1) ?? 0;

/** A patch that closed: positions [from, to) of its lane are its bytes. */
export interface Closing {
  readonly patch: number;
  readonly from: number;
  readonly to: number;
}

/** Whether the patch that begins at `from` ends with position `at`: BOS is a patch of its own; later, one ends where the next byte is too uncertain. */
export function closes(from: number, at: number, entropy: number, { patching }: BltConfig): boolean {
  const isFull = patching.maxPatchLength !== null && at + 1 - from >= patching.maxPatchLength;
  return at === 0 || entropy > patching.threshold || isFull;
}

/**
 * Takes an id into a lane.
 * @param entropy of the prediction made there, nats
 * @returns the patch that closes with it, or null
 */
export function advance(lane: Lane, id: number, entropy: number, config: BltConfig): Closing | null {
  const at = lane.ids.push(id) - 1;
  const from = openStart(lane);
  if (!closes(from, at, entropy, config)) return null;
  lane.ends.push(at + 1);
  return { patch: lane.ends.length - 1, from, to: at + 1 };
}

/** Forgets what a lane read after `length` ids. */
export function rewindLane(lane: Lane, length: number): void {
  lane.ids.length = length;
  while (openStart(lane) > length) lane.ends.pop();
  lane.ahead = NOTHING_AHEAD;
}

/** The entropies that the patcher has found for these ids when it drafted them, or null when it did not. */
export function takeAhead(lane: Lane, ids: readonly number[]): readonly number[] | null {
  const { ahead } = lane;
  lane.ahead = NOTHING_AHEAD;
  return ids.length <= ahead.ids.length && ids.every((id, i) => ahead.ids[i] === id)
    ? ahead.entropies.slice(0, ids.length)
    : null;
}

/** Rows of the fused hash table of the last `count` positions: [count, tables]. */
export function lastHashRows({ ids }: Lane, count: number, { hash }: BltConfig): Int32Array {
  const longest = Math.max(...hash.sizes);
  const from = Math.max(0, ids.length - count - (longest - 1));
  const rows = hashRows(Int32Array.from(ids.slice(from)), hash);
  return rows.subarray(rows.length - count * hashTables(hash));
}

/** Lengths of the patches of `length` ids, counting what is there: those that ended, and the ids of the open one. */
export function patchLengthsOf(ends: readonly number[], length: number): number[] {
  const all = ends.at(-1) === length ? ends : [...ends, length];
  return all.map((end, i) => end - (all[i - 1] ?? 0));
}
