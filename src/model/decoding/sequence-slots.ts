/** @module The sequence slots of a decoding: the length of each sequence and the ends of its patches (blt-format 1.7). Host code. */
import { type BltConfig, hashRows, hashTables } from '../../blt/index.js';

/** The sequence that occupies a slot. */
export interface SequenceSlot {
  /** Ids so far, from which n-grams are hashed. */
  readonly ids: number[];
  /** Exclusive ends of the closed patches. */
  readonly ends: number[];
  /** The number of positions written to the slot's ring buffers since the sequence began, padding included. */
  farthest: number;
  /** The length to which the sequence was copied from another slot, below which it cannot be rewound. */
  readonly shortest: number;
  /** The ids that the patcher drafted beyond `ids`, and their entropies in nats. */
  draft: { readonly ids: readonly number[]; readonly entropies: readonly number[] };
}

const NO_DRAFT = { ids: [], entropies: [] };

export const emptySlot = (): SequenceSlot => ({
  ids: [],
  ends: [],
  farthest: 0,
  shortest: 0,
  draft: NO_DRAFT,
});

/** A copy of the sequence, which continues separately. */
export const copiedSlot = ({ ids, ends }: SequenceSlot): SequenceSlot => ({
  ids: [...ids],
  ends: [...ends],
  farthest: ids.length,
  shortest: ids.length,
  draft: NO_DRAFT,
});

/** The start of the open patch. */
export const openStart = ({ ends }: SequenceSlot): number => ends.at(-1) ?? 0;

/** A closed patch: its index, and its bytes at positions [from, to) of the sequence. */
export interface ClosedPatch {
  readonly patch: number;
  readonly from: number;
  readonly to: number;
}

/**
 * Whether the patch that begins at `from` ends with position `at`. BOS is a separate patch; a later patch ends where the entropy of the next byte
 * exceeds the threshold, or at the maximum length.
 * @param entropy of the prediction at `at`, in nats
 */
export function closes(from: number, at: number, entropy: number, { patching }: Pick<BltConfig, 'patching'>): boolean {
  const isFull = patching.maxPatchLength !== null && at + 1 - from >= patching.maxPatchLength;
  return at === 0 || entropy > patching.threshold || isFull;
}

/**
 * Appends an id to a sequence.
 * @param entropy of the prediction at this id, in nats
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

/** Rewinds a sequence to `length` ids. */
export function rewindSlot(slot: SequenceSlot, length: number): void {
  slot.ids.length = length;
  while (openStart(slot) > length) slot.ends.pop();
  slot.draft = NO_DRAFT;
}

/** The entropies of these ids, in nats, if they are the draft; else null. The draft is consumed. */
export function takeDraft(slot: SequenceSlot, ids: readonly number[]): readonly number[] | null {
  const { draft } = slot;
  slot.draft = NO_DRAFT;
  return ids.length <= draft.ids.length && ids.every((id, i) => draft.ids[i] === id)
    ? draft.entropies.slice(0, ids.length)
    : null;
}

/** Rows of the fused hash table for the last `count` positions: [count, tables]. */
export function lastHashRows({ ids }: SequenceSlot, count: number, { hash }: Pick<BltConfig, 'hash'>): Int32Array {
  const longest = Math.max(...hash.sizes);
  const from = Math.max(0, ids.length - count - (longest - 1));
  const rows = hashRows(Int32Array.from(ids.slice(from)), hash);
  return rows.subarray(rows.length - count * hashTables(hash));
}

/** The lengths of the patches of `length` ids: the closed patches, and the open one. */
export function patchLengthsOf(ends: readonly number[], length: number): number[] {
  const all = ends.at(-1) === length ? ends : [...ends, length];
  return all.map((end, i) => end - (all[i - 1] ?? 0));
}
