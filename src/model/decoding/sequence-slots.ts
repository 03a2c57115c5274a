/** @module The sequence slots of a decoding: how far each sequence is, where its patches end. Plain bookkeeping (blt-format 1.7). */
import { type BltConfig, hashRows, hashTables } from '../../blt/index.js';

/** The sequence that occupies a slot. */
export interface SequenceSlot {
  /** Ids so far; n-grams look back into them. */
  readonly ids: number[];
  /** Where the patches that are closed end, exclusive. */
  readonly ends: number[];
  /** Positions that were ever written to the slot's ring buffers, padding included, since the sequence began. */
  farthest: number;
  /** What the patcher has drafted beyond `ids`. */
  draft: { readonly ids: readonly number[]; readonly entropies: readonly number[] };
}

const NO_DRAFT = { ids: [], entropies: [] };

export const emptySlot = (): SequenceSlot => ({ ids: [], ends: [], farthest: 0, draft: NO_DRAFT });

/** The same sequence, to be continued on its own. */
export const copiedSlot = ({ ids, ends, farthest }: SequenceSlot): SequenceSlot => ({
  ids: [...ids],
  ends: [...ends],
  farthest,
  draft: NO_DRAFT,
});

/** Where the patch that is not closed yet begins. */
export const openStart = ({ ends }: SequenceSlot): number => ends.at(-1) ?? 0;

/** A patch that closed: positions [from, to) of its sequence are its bytes. */
export interface ClosedPatch {
  readonly patch: number;
  readonly from: number;
  readonly to: number;
}

/**
 * Whether the patch that begins at `from` ends with position `at`. BOS is a patch of its own; later patches end where the next byte is too uncertain,
 * or where they have the greatest length.
 */
export function closes(from: number, at: number, entropy: number, { patching }: Pick<BltConfig, 'patching'>): boolean {
  const isFull = patching.maxPatchLength !== null && at + 1 - from >= patching.maxPatchLength;
  return at === 0 || entropy > patching.threshold || isFull;
}

/**
 * Appends an id to a sequence.
 * @param entropy of the prediction made there, nats
 * @returns the patch that closes with it, or null
 */
export function advance(
  slot: SequenceSlot,
  id: number,
  entropy: number,
  config: Pick<BltConfig, 'patching'>,
): ClosedPatch | null {
  const at = slot.ids.push(id) - 1;
  const from = openStart(slot);
  if (!closes(from, at, entropy, config)) return null;
  slot.ends.push(at + 1);
  return { patch: slot.ends.length - 1, from, to: at + 1 };
}

/** Forgets what a sequence read after `length` ids. */
export function rewindSlot(slot: SequenceSlot, length: number): void {
  slot.ids.length = length;
  while (openStart(slot) > length) slot.ends.pop();
  slot.draft = NO_DRAFT;
}

/** The entropies that the patcher found for these ids when it drafted them, or null when it did not. The draft is used up. */
export function takeDraft(slot: SequenceSlot, ids: readonly number[]): readonly number[] | null {
  const { draft } = slot;
  slot.draft = NO_DRAFT;
  return ids.length <= draft.ids.length && ids.every((id, i) => draft.ids[i] === id)
    ? draft.entropies.slice(0, ids.length)
    : null;
}

/** Rows of the fused hash table of the last `count` positions: [count, tables]. */
export function lastHashRows({ ids }: SequenceSlot, count: number, { hash }: Pick<BltConfig, 'hash'>): Int32Array {
  const longest = Math.max(...hash.sizes);
  const from = Math.max(0, ids.length - count - (longest - 1));
  const rows = hashRows(Int32Array.from(ids.slice(from)), hash);
  return rows.subarray(rows.length - count * hashTables(hash));
}

/** Lengths of the patches of `length` ids, counting what is there: those that closed, and the ids of the open one. */
export function patchLengthsOf(ends: readonly number[], length: number): number[] {
  const all = ends.at(-1) === length ? ends : [...ends, length];
  return all.map((end, i) => end - (all[i - 1] ?? 0));
}
