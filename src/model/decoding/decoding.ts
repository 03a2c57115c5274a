/**
 * @module Exact incremental decoding (blt-format 2.7): a byte costs a step of the local models, and a patch, when it closes, one of the latent
 * global transformer. Several sequences go side by side in slots, each at its own length.
 */
import { BYTE_OFFSET, hashTables, textPositions, VOCAB_SIZE } from '../../blt/index.js';
import type { RunMode, tf } from '../../engine/index.js';
import { ByteifyError } from '../../errors.js';
import { cachePositions, keptRows, type SlotStart } from './cache-positions.js';
import { createKvCache, powerOfTwo } from './kv-cache.js';
import type { LayerCaches } from './layer-caches.js';
import type { ResidentModel } from './resident-model.js';
import { rowOf } from './ring-buffers.js';
import {
  advance,
  type ClosedPatch,
  closes,
  copiedSlot,
  emptySlot,
  lastHashRows,
  openStart,
  rewindSlot,
  type SequenceSlot,
  takeDraft,
} from './sequence-slots.js';
import { createStepTable } from './step-table.js';

export interface DecodingOptions {
  /** Sequences side by side. */
  readonly slots: number;
  /** How steps run. With `xla` they run uncompiled until `compileBehind` has compiled those of one id per slot; prompts' stay uncompiled. */
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

/** What was read into a slot. */
export interface SlotOutput {
  /** Next-byte logits [n, 260] after each of the n ids that were read. */
  readonly logits: Float32Array;
  /** Entropies [n] of the patcher there, nats. */
  readonly entropies: Float32Array;
  /** Whether a patch ends with each of them. */
  readonly closed: readonly boolean[];
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
   * With mode `xla`: compiles the steps that a byte takes on another thread, while sequences are read; each is used as soon as it is compiled.
   * @returns when all are compiled. @throws what the first step that could not be compiled threw
   */
  compileBehind(): Promise<void>;
  dispose(): void;
}

const CHUNK = 256;
const FIRST_PATCHES = 256;
const APART = 4;
/** Bytes that are pooled at once: with fewer, every greater patch would be waited for until its step is compiled. */
const LEAST_MEMBERS = 64;

/** The id of the likeliest byte. @param logits [260] */
function likeliestByte(logits: Float32Array): number {
  let best = BYTE_OFFSET;
  for (let id = BYTE_OFFSET; id < VOCAB_SIZE; id++) if (logits[id]! > logits[best]!) best = id;
  return best;
}

/** Rows of at most `count` values, padded: [rows, count]. */
function inRows(rows: readonly (readonly number[])[], count: number): Float32Array {
  const values = new Float32Array(rows.length * count);
  rows.forEach((row, i) => {
    values.set(row, i * count);
  });
  return values;
}

async function valuesOf(outputs: Promise<tf.Tensor[]>): Promise<Float32Array[]> {
  return (await outputs).map((output) => {
    const values = output.dataSync() as Float32Array;
    output.dispose();
    return values;
  });
}

/** The engine must be started. `model` stays the caller's. */
export function openDecoding(model: ResidentModel, options: DecodingOptions): Decoding {
  const { slots: slotCount, mode, chunk = CHUNK, apart = APART } = options;
  const mostDrafted = Math.min(options.draft ?? 0, chunk);
  const { config } = model;
  const slots: SequenceSlot[] = Array.from({ length: slotCount }, emptySlot);
  const cache = createKvCache(config, slotCount, chunk, options.patches ?? FIRST_PATCHES);
  const steps = createStepTable(model, cache, mode);
  // Ring buffers hold a window; without one they hold all that the model is made for, and no more.
  const locals = [config.patcher, config.encoder, config.decoder];
  const limit = locals.some(({ window }) => window === null) ? textPositions(config) : Number.POSITIVE_INFINITY;
  const counts = [...new Set([1, Math.max(1, mostDrafted), Math.ceil(chunk / 4), chunk])].sort((a, b) => a - b);

  /** What a step over a transformer's caches is told of its positions. */
  function positions(caches: LayerCaches, starts: readonly SlotStart[], count: number) {
    const { config: transformer, capacity } = caches;
    const some = starts.length === slotCount ? [] : starts.map(({ slot }) => slot);
    return { ...cachePositions(transformer, starts, count, capacity), kept: keptRows(transformer, some, capacity) };
  }

  /** Ids [slots * count] through the patcher. @returns entropies and logits there */
  async function runPatcher(ids: Int32Array, starts: readonly SlotStart[], count: number) {
    const patcher = steps.patcher({ slots: starts.length, count });
    const [entropies, logits] = await valuesOf(patcher.run({ ids, ...positions(cache.patcher, starts, count) }));
    return { entropies: entropies!, logits: logits! };
  }

  /** Closed patches, at most `count` per slot, through pooling and the global layers. */
  async function closePatches(group: readonly number[], closed: readonly (readonly ClosedPatch[])[], count: number) {
    const starts = group.map((slot, row) => ({ slot, start: closed[row]![0]?.patch ?? slots[slot]!.ends.length }));
    cache.growGlobal(Math.max(...starts.map(({ start }) => start)) + count);
    const { states, global, patches } = cache;
    const size = { slots: group.length, count };
    const places = group.length * count;
    const bytes = closed.flat().reduce((sum, { from, to }) => sum + to - from, 0);
    const members = powerOfTwo(Math.max(LEAST_MEMBERS, bytes));
    const ring = new Int32Array(members);
    const patch = new Int32Array(members).fill(places);
    const rows = new Int32Array(places).fill(slotCount * patches.capacity);
    let at = 0;
    group.forEach((slot, row) => {
      closed[row]!.forEach((one, i) => {
        rows[row * count + i] = rowOf(patches, slot, one.patch);
        for (let position = one.from; position < one.to; position++, at++) {
          ring[at] = rowOf(states, slot, position);
          patch[at] = row * count + i;
        }
      });
    });
    const [vectors] = await steps.pool({ ...size, members }).run({ ring, patch });
    await steps.global(size).run({ vectors: vectors!, ring: rows, ...positions(global, starts, count) });
    vectors!.dispose();
  }

  /** The patches that closed with `count` ids per slot: slot by slot where they are few, else together. */
  async function closeAll(group: readonly number[], closed: readonly (readonly ClosedPatch[])[], count: number) {
    const rows = [...closed.keys()].filter((row) => closed[row]!.length > 0);
    if (group.length > 1 && rows.length <= apart) {
      for (const row of rows) await closeAll([group[row]!], [closed[row]!], count);
      return;
    }
    // Few patches close among many bytes: a quarter as many go through the global layers at once.
    const atOnce = count === 1 ? 1 : Math.ceil(count / 4);
    const most = Math.max(...closed.map(({ length }) => length));
    for (let from = 0; from < most; from += atOnce) {
      const some = closed.map((patches) => patches.slice(from, from + atOnce));
      await closePatches(group, some, atOnce);
    }
  }

  /** At most `count` ids of each slot of a group. @returns logits and entropies [slots, count], and of each slot where patches closed. */
  async function readStep(group: readonly number[], ids: readonly (readonly number[])[], count: number) {
    cache.growStates(slots, count);
    const { states, patches } = cache;
    const size = { slots: group.length, count };
    const places = group.length * count;
    const starts = group.map((slot) => ({ slot, start: slots[slot]!.ids.length }));
    const padded = new Int32Array(places);
    ids.forEach((some, row) => {
      padded.set(some, row * count);
    });
    const drafted = group.map((slot, row) => takeDraft(slots[slot]!, ids[row]!));
    const entropies = drafted.every((found) => found !== null)
      ? inRows(drafted, count)
      : (await runPatcher(padded, starts, count)).entropies;

    const tables = hashTables(config.hash);
    const hashed = new Int32Array(places * tables);
    const reading = new Int32Array(places);
    const rows = new Int32Array(places);
    const closed = group.map((index, row) => {
      const slot = slots[index]!;
      const { start } = starts[row]!;
      slot.farthest = Math.max(slot.farthest, start + count);
      const found: ClosedPatch[] = [];
      for (let i = 0; i < count; i++) {
        const at = row * count + i;
        if (i < ids[row]!.length) {
          const patch = advance(slot, ids[row]![i]!, entropies[at]!, config);
          if (patch !== null) found.push(patch);
        }
        reading[at] = rowOf(patches, index, Math.max(0, slot.ends.length - 1));
        rows[at] = rowOf(states, index, start + i);
      }
      if (ids[row]!.length > 0) hashed.set(lastHashRows(slot, ids[row]!.length, config), row * count * tables);
      return found;
    });

    await steps
      .encoder(size)
      .run({ ids: padded, hashRows: hashed, ring: rows, ...positions(cache.encoder, starts, count) });
    await closeAll(group, closed, count);
    const [logits] = await valuesOf(
      steps.decoder(size).run({ bytes: rows, patch: reading, ...positions(cache.decoder, starts, count) }),
    );
    return { logits: logits!, entropies, closed };
  }

  function check(ids: readonly ArrayLike<number>[]): void {
    const longest = Math.max(...ids.map(({ length }, slot) => slots[slot]!.ids.length + length));
    if (longest > limit)
      throw new ByteifyError(`The text is longer than the ${limit - 1} bytes that this model reads.`);
  }

  return {
    counts,
    async read(ids) {
      check(ids);
      const outputs = ids.map(({ length }) => ({
        logits: new Float32Array(length * VOCAB_SIZE),
        entropies: new Float32Array(length),
        closed: new Array<boolean>(length).fill(false),
      }));
      /** One step, and its outputs to where they belong: `from` is the place in what the slots were given. */
      const take = async (
        group: readonly number[],
        parts: readonly (readonly number[])[],
        count: number,
        from: number,
      ) => {
        const starts = group.map((slot) => slots[slot]!.ids.length);
        const { logits, entropies, closed } = await readStep(group, parts, count);
        group.forEach((slot, row) => {
          const { length } = parts[row]!;
          const at = row * count;
          const output = outputs[slot]!;
          output.logits.set(logits.subarray(at * VOCAB_SIZE, (at + length) * VOCAB_SIZE), from * VOCAB_SIZE);
          output.entropies.set(entropies.subarray(at, at + length), from);
          for (const { to } of closed[row]!) output.closed[from + to - 1 - starts[row]!] = true;
        });
      };
      const lengths = ids.map(({ length }) => length);
      const together = lengths.filter((length) => length === 1).length > apart;
      for (const [slot, length] of lengths.entries()) {
        if (length === 1 && together) continue;
        const some = Array.from(ids[slot]!);
        for (let from = 0; from < length; from += chunk) {
          const part = some.slice(from, from + chunk);
          await take([slot], [part], counts.find((count) => count >= part.length)!, from);
        }
      }
      if (together) {
        const all = [...slots.keys()];
        await take(
          all,
          all.map((slot) => (lengths[slot] === 1 ? Array.from(ids[slot]!) : [])),
          1,
          0,
        );
      }
      return outputs;
    },
    async draft(index, first) {
      const slot = slots[index]!;
      const ids = [first];
      const entropies: number[] = [];
      for (;;) {
        const at = slot.ids.length + ids.length - 1;
        const found = await runPatcher(Int32Array.of(ids.at(-1)!), [{ slot: index, start: at }], 1);
        entropies.push(found.entropies[0]!);
        const isFull = ids.length >= mostDrafted || at + 1 >= limit;
        if (isFull || closes(openStart(slot), at, entropies.at(-1)!, config)) break;
        ids.push(likeliestByte(found.logits));
      }
      slot.farthest = Math.max(slot.farthest, slot.ids.length + ids.length);
      slot.draft = { ids, entropies };
      return ids;
    },
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
      // What a byte takes: on its own, and, where that is more than go one by one, in all slots at once.
      for (const some of slotCount > apart ? [1, slotCount] : [1]) {
        const size = { slots: some, count: 1 };
        for (const name of ['decoder', 'patcher', 'encoder', 'global'] as const) steps[name](size);
        steps.pool({ ...size, members: LEAST_MEMBERS });
      }
      await steps.compileBehind();
    },
    dispose() {
      steps.dispose();
      cache.dispose();
    },
  };
}
