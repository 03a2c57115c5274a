/**
 * @module Exact incremental decoding (blt-format 2.7): a byte costs a step of the local models, and a patch, when it closes, one of the latent
 * global transformer. Several sequences go side by side in slots, each at its own length.
 */
import { BYTE_OFFSET, textPositions, VOCAB_SIZE } from '../../blt/index.js';
import type { RunMode } from '../../engine/index.js';
import { ByteifyError } from '../../errors.js';
import { createKvCache } from './kv-cache.js';
import {
  emptyOutput,
  LEAST_MEMBERS,
  patchesAtOnce,
  type ReadContext,
  readInto,
  runPatcher,
  type SlotOutput,
} from './read-slots.js';
import type { ResidentModel } from './resident-model.js';
import { closes, copiedSlot, emptySlot, openStart, rewindSlot } from './sequence-slots.js';
import { createStepTable, type StepTable } from './step-table.js';

export interface DecodingOptions {
  /** Sequences side by side. */
  readonly slots: number;
  /** How steps run. With `xla` they run uncompiled until `compileBehind` has compiled them. */
  readonly mode: RunMode;
  /** Bytes of a slot that are read at once where there are several (default 256). */
  readonly chunk?: number;
  /** The most bytes that are drafted at once, no more than a chunk; none unless told. */
  readonly draft?: number;
  /** Patches per slot that there is room for to begin with (default 256); room for more is made when they come. */
  readonly patches?: number;
  /** Up to how many slots with one byte each, or with a patch that closes, go one by one (default 4): on a CPU a product of few rows costs more than as many of one. */
  readonly apart?: number;
}

export interface SlotState {
  /** Ids that were read. */
  readonly length: number;
  /** Where the patches that are closed end, in ids, exclusive; the first is BOS alone. */
  readonly ends: readonly number[];
}

export interface Decoding {
  /** Numbers of ids per slot that steps are made for, rising: the least that is enough is taken, and padded. */
  readonly counts: readonly number[];
  /** Reads ids into each slot, as many as it is given, none included. A sequence begins with BOS. */
  read(ids: readonly ArrayLike<number>[]): Promise<SlotOutput[]>;
  /**
   * Likely ids to follow, by the patcher alone, up to where the patch ends: `first`, then what it finds most likely.
   * `read` takes what it is given of them without running the patcher again.
   */
  draft(slot: number, first: number): Promise<number[]>;
  state(slot: number): SlotState;
  /** Empties a slot for another sequence. */
  reset(slot: number): void;
  /** Forgets what a slot read after `length` ids. @throws ByteifyError for more than a chunk back. */
  rewind(slot: number, length: number): void;
  /** Makes slot `to` continue from where slot `from` is. */
  fork(from: number, to: number): void;
  /**
   * With mode `xla`: compiles steps on another thread, while sequences are read; each is used as soon as it is compiled.
   * @returns when all are compiled. @throws what the first step that could not be compiled threw
   */
  compileBehind(): Promise<void>;
  dispose(): void;
}

const CHUNK = 256;
const FIRST_PATCHES = 256;
const APART = 4;

/** The id of the likeliest byte. @param logits [260] */
function likeliestByte(logits: Float32Array): number {
  let best = BYTE_OFFSET;
  for (let id = BYTE_OFFSET; id < VOCAB_SIZE; id++) if (logits[id]! > logits[best]!) best = id;
  return best;
}

/** Drafts by the patcher alone: `first`, then what it finds most likely, up to `most` ids, the end of the patch, or position `limit`. */
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
    ids.push(likeliestByte(found.logits));
  }
  slot.farthest = Math.max(slot.farthest, slot.ids.length + ids.length);
  slot.draft = { ids, entropies };
  return ids;
}

/** Makes the steps that bytes take: on their own, where that is more than go one by one in all slots at once, and in the pieces of prompts. */
function makeSteps(
  steps: StepTable,
  { slotCount, apart, counts }: Record<'slotCount' | 'apart', number> & Pick<Decoding, 'counts'>,
): void {
  for (const slots of slotCount > apart ? [1, slotCount] : [1]) {
    const size = { slots, count: 1 };
    for (const name of ['decoder', 'patcher', 'encoder', 'global'] as const) steps[name](size);
    steps.pool({ ...size, members: LEAST_MEMBERS });
  }
  for (const count of counts.slice(1)) {
    for (const name of ['decoder', 'patcher', 'encoder'] as const) steps[name]({ slots: 1, count });
    steps.global({ slots: 1, count: patchesAtOnce(count) });
  }
}

/** The engine must be started. `model` stays the caller's. */
export function openDecoding(model: ResidentModel, options: DecodingOptions): Decoding {
  const { slots: slotCount, mode, chunk = CHUNK, apart = APART } = options;
  const mostDrafted = Math.min(options.draft ?? 0, chunk);
  const { config } = model;
  const cache = createKvCache(config, slotCount, chunk, options.patches ?? FIRST_PATCHES);
  const steps = createStepTable(model, cache, mode);
  const slots = Array.from({ length: slotCount }, emptySlot);
  const context: ReadContext = { config, cache, steps, slots, apart };
  // Ring buffers hold a window; without one they hold all that the model is made for, and no more.
  const locals = [config.patcher, config.encoder, config.decoder];
  const limit = locals.some(({ window }) => window === null) ? textPositions(config) : Number.POSITIVE_INFINITY;
  const counts = [...new Set([1, Math.max(1, mostDrafted), Math.ceil(chunk / 4), chunk])].sort((a, b) => a - b);

  return {
    counts,
    async read(ids) {
      const lengths = ids.map(({ length }) => length);
      if (slots.some((slot, index) => slot.ids.length + (lengths[index] ?? 0) > limit))
        throw new ByteifyError(`The text is longer than the ${limit - 1} bytes that this model reads.`);
      const outputs = lengths.map(emptyOutput);
      const together = lengths.filter((length) => length === 1).length > apart;
      for (const [slot, length] of lengths.entries()) {
        if (length === 1 && together) continue;
        const some = Array.from(ids[slot]!);
        for (let from = 0; from < length; from += chunk) {
          const part = some.slice(from, from + chunk);
          const count = counts.find((enough) => enough >= part.length)!;
          await readInto(context, outputs, { group: [slot], ids: [part], count, from });
        }
      }
      if (together) {
        const single = ids.map((some) => (some.length === 1 ? Array.from(some) : []));
        await readInto(context, outputs, { group: [...slots.keys()], ids: single, count: 1, from: 0 });
      }
      return outputs;
    },
    draft: (slot, first) => draftInto(context, slot, first, mostDrafted, limit),
    state: (slot) => ({ length: slots[slot]!.ids.length, ends: slots[slot]!.ends }),
    reset(slot) {
      slots[slot] = emptySlot();
    },
    rewind(index, length) {
      const slot = slots[index]!;
      const reopened = slot.ends.findLast((end) => end <= length) ?? 0;
      const isLost = slot.farthest - length > chunk || slot.farthest - reopened > cache.states.capacity;
      if (length > slot.ids.length || isLost)
        throw new ByteifyError(
          `A sequence of ${slot.ids.length} ids cannot go back to ${length}: its slot keeps ${chunk} at most.`,
        );
      rewindSlot(slot, length);
    },
    fork(from, to) {
      cache.copy(slots[from]!, from, to);
      slots[to] = copiedSlot(slots[from]!);
    },
    async compileBehind() {
      if (mode !== 'xla') return;
      makeSteps(steps, { slotCount, apart, counts });
      await steps.compileBehind();
    },
    dispose() {
      steps.dispose();
      cache.dispose();
    },
  };
}
