/**
 * @module Exact incremental decoding (blt-format 2.7): each byte costs one step of the local models, and each patch that closes one step of the
 * latent global transformer. Several sequences are decoded in parallel slots, each at its own length.
 */
import { BYTE_OFFSET, textPositions, VOCAB_SIZE } from '../../blt/index.js';
import type { RunMode } from '../../engine/index.js';
import { ByteifyError } from '../../errors.js';
import { createKvCache } from './kv-cache.js';
import { readParts } from './read-parts.js';
import {
  emptyOutput,
  fewestPatches,
  MIN_MEMBERS,
  type ReadContext,
  readInto,
  runPatcher,
  type SlotOutput,
} from './read-slots.js';
import type { ResidentModel } from './resident-model.js';
import { closes, copiedSlot, emptySlot, openStart, rewindSlot } from './sequence-slots.js';
import { createStepTable, type StepTable } from './step-table.js';

export interface DecodingOptions {
  /** Number of sequences decoded in parallel. */
  readonly slots: number;
  /** How steps run. With `xla`, they run uncompiled until `compileInBackground` has compiled them. */
  readonly mode: RunMode;
  /** Maximum bytes of a slot that one step reads (default 256). */
  readonly chunk?: number;
  /** Maximum bytes to draft at once, up to a chunk (default 0). */
  readonly draft?: number;
  /** Initial capacity in patches per slot (default 256); it grows on demand. */
  readonly patches?: number;
  /** Up to this many slots with one byte each, or with a closing patch, run one by one (default 4): on a CPU, a product with a few rows costs more than as many products with one row. */
  readonly separateSlots?: number;
  /** Whether slots that read several ids each run in one step, if it is small (default false): that reads the weights once, but each number of slots needs steps of its own. */
  readonly together?: boolean;
}

export interface SlotState {
  /** Number of ids read. */
  readonly length: number;
  /** Exclusive ends of the closed patches, in ids; the first patch is BOS alone. */
  readonly ends: readonly number[];
}

export interface Decoding {
  /** Numbers of ids per slot for which steps exist, ascending. A read uses the smallest sufficient one, and pads. */
  readonly counts: readonly number[];
  /** Reads ids into each slot, possibly none. A sequence begins with BOS. @throws ByteifyError beyond the model's maximum length. */
  read(ids: readonly ArrayLike<number>[]): Promise<SlotOutput[]>;
  /**
   * Drafts ids with the patcher alone, up to the end of the patch: `first`, then the most likely byte each time. `read` does not run the
   * patcher again for drafted ids.
   */
  draft(slot: number, first: number): Promise<number[]>;
  state(slot: number): SlotState;
  /** Empties a slot for another sequence. */
  reset(slot: number): void;
  /** Rewinds a slot to `length` ids. @throws ByteifyError for more than a chunk, or beyond where it was copied. */
  rewind(slot: number, length: number): void;
  /** Copies the sequence of slot `from` to other slots, in each of which it continues separately. */
  fork(from: number, ...to: readonly number[]): void;
  /**
   * With mode `xla`, compiles the steps on another thread, while sequences are read; each is used as soon as it is compiled.
   * @returns when all are compiled. @throws the error of the first step that could not be compiled
   */
  compileInBackground(): Promise<void>;
  dispose(): void;
}

const CHUNK = 256;
const FIRST_PATCHES = 256;
const SEPARATE_SLOTS = 4;
/** The smallest part of a chunk, but for single and drafted ids, that has steps of its own. */
const FEWEST_IDS = 16;
/** A chunk and its halves of up to this many ids have steps; beyond it, three quarters of them also do. */
const MANY_IDS = 256;

/** The id of the most likely byte. @param logits [260] */
function mostLikelyByte(logits: Float32Array): number {
  let best = BYTE_OFFSET;
  for (let id = BYTE_OFFSET; id < VOCAB_SIZE; id++) if (logits[id]! > logits[best]!) best = id;
  return best;
}

/** Drafts with the patcher alone: `first`, then the most likely bytes, up to `most` ids, the end of the patch, or position `limit`. */
async function draftInto(context: ReadContext, index: number, first: number, most: number, limit: number) {
  const slot = context.slots[index]!;
  const ids = [first];
  const entropies: number[] = [];
  for (;;) {
    const at = slot.ids.length + ids.length - 1;
    const found = await runPatcher(context, Int32Array.of(ids.at(-1)!), [{ slot: index, start: at }], 1);
    entropies.push(found.entropies[0]!);
    const isFull = ids.length >= most || at + 1 >= limit;
    if (isFull || closes(openStart(slot), at, entropies.at(-1)!, context.config)) break;
    ids.push(mostLikelyByte(found.logits));
  }
  slot.farthest = Math.max(slot.farthest, slot.ids.length + ids.length);
  slot.draft = { ids, entropies };
  return ids;
}

/** Numbers of ids per slot for which steps exist, ascending: single and drafted ids, a chunk and its halves. */
function idCounts(chunk: number, drafted: number): number[] {
  const counts = new Set([1, drafted, chunk]);
  for (let count = chunk; count >= FEWEST_IDS; count = Math.ceil(count / 2)) {
    counts.add(count);
    if (count > MANY_IDS) counts.add(Math.ceil((count * 3) / 4));
  }
  return [...counts].sort((a, b) => a - b);
}

/** Creates the steps for single bytes (for one slot, and for all slots at once if they do not run one by one) and for the chunks of prompts. */
function makeSteps(
  steps: StepTable,
  { slotCount, separateSlots, counts }: Record<'slotCount' | 'separateSlots', number> & Pick<Decoding, 'counts'>,
): void {
  for (const slots of slotCount > separateSlots ? [1, slotCount] : [1]) {
    const size = { slots, count: 1 };
    for (const name of ['decoder', 'patcher', 'encoder', 'global'] as const) steps[name](size);
    steps.pool({ ...size, members: MIN_MEMBERS });
  }
  for (const count of counts.slice(1)) {
    for (const name of ['decoder', 'patcher', 'encoder'] as const) steps[name]({ slots: 1, count });
    steps.global({ slots: 1, count: fewestPatches(count) });
  }
}

/** Opens a decoding. The engine must be started. The caller keeps `model`, which must stay open. */
export function openDecoding(model: ResidentModel, options: DecodingOptions): Decoding {
  const { slots: slotCount, mode, chunk = CHUNK, separateSlots = SEPARATE_SLOTS, together = false } = options;
  const maxDrafted = Math.min(options.draft ?? 0, chunk);
  const { config } = model;
  const cache = createKvCache(config, slotCount, chunk, options.patches ?? FIRST_PATCHES);
  const steps = createStepTable(model, cache, mode);
  const slots = Array.from({ length: slotCount }, emptySlot);
  const context: ReadContext = { config, cache, steps, slots, separateSlots };
  // A ring buffer holds a window. Without a window it holds the model's maximum length, which a text cannot exceed.
  const locals = [config.patcher, config.encoder, config.decoder];
  const limit = locals.some(({ window }) => window === null) ? textPositions(config) : Number.POSITIVE_INFINITY;
  const counts = idCounts(chunk, Math.max(1, maxDrafted));

  return {
    counts,
    async read(ids) {
      const lengths = ids.map(({ length }) => length);
      if (slots.some((slot, index) => slot.ids.length + (lengths[index] ?? 0) > limit))
        throw new ByteifyError(`The text is longer than the ${limit - 1} bytes that this model can read.`);
      const outputs = lengths.map(emptyOutput);
      for (const part of readParts(ids, { chunk, counts, separateSlots, together }))
        await readInto(context, outputs, part);
      return outputs;
    },
    draft: (slot, first) => draftInto(context, slot, first, maxDrafted, limit),
    state: (slot) => ({ length: slots[slot]!.ids.length, ends: slots[slot]!.ends }),
    reset(slot) {
      slots[slot] = emptySlot();
    },
    rewind(index, length) {
      const slot = slots[index]!;
      const reopened = slot.ends.findLast((end) => end <= length) ?? 0;
      const isLost =
        length < slot.shortest || slot.farthest - length > chunk || slot.farthest - reopened > cache.states.capacity;
      if (length > slot.ids.length || isLost)
        throw new ByteifyError(
          `A sequence of ${slot.ids.length} ids cannot be rewound to ${length}: its slot keeps at most ${chunk}, and none that were read before it was copied.`,
        );
      rewindSlot(slot, length);
    },
    fork(from, ...to) {
      cache.copy(slots[from]!, from, to);
      for (const slot of to) slots[slot] = copiedSlot(slots[from]!);
    },
    async compileInBackground() {
      if (mode !== 'xla') return;
      makeSteps(steps, { slotCount, separateSlots, counts });
      await steps.compileInBackground();
    },
    dispose() {
      steps.dispose();
      cache.dispose();
    },
  };
}
