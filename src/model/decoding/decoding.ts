/**
 * @module Exact incremental decoding (blt-format 2.7): a byte costs a step of the local models, and a patch, when it closes, one of the latent
 * global transformer. Several texts go side by side in lanes, each at its own length.
 */
import { BYTE_OFFSET, hashTables, textPositions, VOCAB_SIZE } from '../../blt/index.js';
import type { tf } from '../../engine/index.js';
import { ByteifyError } from '../../errors.js';
import type { HeldBlt } from './held-blt.js';
import {
  advance,
  type Closing,
  closes,
  copiedLane,
  emptyLane,
  type Lane,
  lastHashRows,
  openStart,
  rewindLane,
  takeAhead,
} from './lanes.js';
import type { LayerCaches } from './layer-caches.js';
import { createMemory, powerOfTwo } from './memory.js';
import { keptRows, type LaneStart, placesOf } from './places.js';
import { rowOf } from './rings.js';
import { decoderStep, encoderStep, globalStep, patcherStep, poolStep, type StepShape } from './steps.js';

export interface DecodingOptions {
  /** Texts side by side. */
  readonly lanes: number;
  /** How steps run. With `xla`, those of one id a lane: pieces of prompts are read too seldom to be worth a compilation, and run as graphs. */
  readonly mode: StepShape['mode'];
  /** Bytes of a lane that are read at once where there are several (default 256). */
  readonly chunk?: number;
  /** The most bytes that are drafted at once, no more than a chunk; none unless told. */
  readonly draft?: number;
  /** Patches a lane that there is room for to begin with (default 256); more make room when they come. */
  readonly patches?: number;
  /** Lanes of one byte each, or with a patch that closes, that still go one by one (default 4): on a CPU a product of few rows costs more than as many of one. */
  readonly apart?: number;
}

/** What a lane got back. */
export interface LaneOutput {
  /** Next-byte logits [n, 260] after each of the n ids that were read. */
  readonly logits: Float32Array;
  /** PatcherRunner [n] of the patcher there, nats. */
  readonly entropies: Float32Array;
}

export interface LaneState {
  /** Ids that were read. */
  readonly length: number;
  /** Where the patches that are closed end, in ids, exclusive; the first is BOS alone. */
  readonly ends: readonly number[];
}

export interface Decoding {
  /** Numbers of ids a lane that steps are compiled for, rising: the least that is enough is taken, and padded. */
  readonly counts: readonly number[];
  /** Reads ids: as many a lane as it is given, none included. A lane begins with BOS. */
  read(ids: readonly ArrayLike<number>[]): Promise<LaneOutput[]>;
  /**
   * Likely ids to follow, by the patcher alone, up to where the patch ends: `first`, then what it finds most likely.
   * `read` takes what it is given of them without running the patcher again.
   */
  draft(lane: number, first: number): Promise<number[]>;
  state(lane: number): LaneState;
  /** Makes a lane begin anew. */
  reset(lane: number): void;
  /** Forgets what a lane read after `length` ids. @throws ByteifyError for more than a chunk back. */
  rewind(lane: number, length: number): void;
  /** Makes lane `to` go on from where lane `from` is. */
  fork(from: number, to: number): void;
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
export function openDecoding(model: HeldBlt, options: DecodingOptions): Decoding {
  const { lanes: laneCount, mode, chunk = CHUNK, apart = APART } = options;
  const mostDrafted = Math.min(options.draft ?? 0, chunk);
  const { config } = model;
  const lanes: Lane[] = Array.from({ length: laneCount }, emptyLane);
  const memory = createMemory(config, laneCount, chunk, options.patches ?? FIRST_PATCHES);
  // Rings hold a window; without one they hold all that the model is made for, and no more.
  const locals = [config.patcher, config.encoder, config.decoder];
  const limit = locals.some(({ window }) => window === null) ? textPositions(config) : Number.POSITIVE_INFINITY;
  const counts = [...new Set([1, Math.max(1, mostDrafted), Math.ceil(chunk / 4), chunk])].sort((a, b) => a - b);

  const shapeOf = (some: number, count: number): StepShape => ({
    lanes: some,
    count,
    mode: mode === 'xla' && count > 1 ? 'graph' : mode,
  });

  const made = new Map<string, { dispose(): void }>();
  function step<T extends { dispose(): void }>(key: string, make: () => T): T {
    const found = (made.get(key) as T | undefined) ?? make();
    made.set(key, found);
    return found;
  }

  /** What a step over a transformer's caches is told of its places. */
  function places(caches: LayerCaches, starts: readonly LaneStart[], count: number) {
    const { config: transformer, capacity } = caches;
    const some = starts.length === laneCount ? [] : starts.map(({ lane }) => lane);
    return { ...placesOf(transformer, starts, count, capacity), kept: keptRows(transformer, some, capacity) };
  }

  /** Ids [lanes * count] through the patcher. @returns entropies and logits there */
  async function runPatcher(ids: Int32Array, starts: readonly LaneStart[], count: number) {
    const shape = shapeOf(starts.length, count);
    const patcher = step(`patcher ${shape.lanes} ${count}`, () => patcherStep(model, memory.patcher, shape));
    const [entropies, logits] = await valuesOf(patcher.run({ ids, ...places(memory.patcher, starts, count) }));
    return { entropies: entropies!, logits: logits! };
  }

  /** Closed patches, at most `count` a lane, through pooling and the global layers. */
  async function closePatches(group: readonly number[], closings: readonly (readonly Closing[])[], count: number) {
    const starts = group.map((lane, row) => ({ lane, start: closings[row]![0]?.patch ?? lanes[lane]!.ends.length }));
    memory.growGlobal(Math.max(...starts.map(({ start }) => start)) + count);
    const { states, global, patches } = memory;
    const shape = shapeOf(group.length, count);
    const slots = group.length * count;
    const closed = closings.flat().reduce((sum, { from, to }) => sum + to - from, 0);
    const members = powerOfTwo(Math.max(LEAST_MEMBERS, closed));
    const ring = new Int32Array(members);
    const patch = new Int32Array(members).fill(slots);
    const rows = new Int32Array(slots).fill(laneCount * patches.capacity);
    let at = 0;
    group.forEach((lane, row) => {
      closings[row]!.forEach((closing, i) => {
        rows[row * count + i] = rowOf(patches, lane, closing.patch);
        for (let position = closing.from; position < closing.to; position++, at++) {
          ring[at] = rowOf(states, lane, position);
          patch[at] = row * count + i;
        }
      });
    });
    const pool = step(`pool ${members} ${slots} ${states.capacity}`, () =>
      poolStep(model, states, { members, patches: slots, mode: shape.mode }),
    );
    const [vectors] = await pool.run({ ring, patch });
    const layers = step(`global ${shape.lanes} ${count} ${global.capacity}`, () =>
      globalStep(model, global, patches, shape),
    );
    await layers.run({ vectors: vectors!, ring: rows, ...places(global, starts, count) });
    vectors!.dispose();
  }

  /** The patches that closed with `count` ids a lane: lane by lane where they are few, else together. */
  async function closeAll(group: readonly number[], closings: readonly (readonly Closing[])[], count: number) {
    const rows = [...closings.keys()].filter((row) => closings[row]!.length > 0);
    if (group.length > 1 && rows.length <= apart) {
      for (const row of rows) await closeAll([group[row]!], [closings[row]!], count);
      return;
    }
    // Few patches close among many bytes: a quarter as many go through the global layers at once.
    const atOnce = count === 1 ? 1 : Math.ceil(count / 4);
    const most = Math.max(...closings.map(({ length }) => length));
    for (let from = 0; from < most; from += atOnce) {
      const some = closings.map((closed) => closed.slice(from, from + atOnce));
      await closePatches(group, some, atOnce);
    }
  }

  /** At most `count` ids of each lane of a group. @returns logits and entropies [lanes, count]. */
  async function readStep(group: readonly number[], ids: readonly (readonly number[])[], count: number) {
    memory.growStates(lanes, count);
    const { states, patches } = memory;
    const shape = shapeOf(group.length, count);
    const slots = group.length * count;
    const starts = group.map((lane) => ({ lane, start: lanes[lane]!.ids.length }));
    const padded = new Int32Array(slots);
    ids.forEach((some, row) => {
      padded.set(some, row * count);
    });
    const known = group.map((lane, row) => takeAhead(lanes[lane]!, ids[row]!));
    const entropies = known.every((found) => found !== null)
      ? inRows(known, count)
      : (await runPatcher(padded, starts, count)).entropies;

    const tables = hashTables(config.hash);
    const hashed = new Int32Array(slots * tables);
    const reading = new Int32Array(slots);
    const rows = new Int32Array(slots);
    const closings = group.map((index, row) => {
      const lane = lanes[index]!;
      const { start } = starts[row]!;
      lane.farthest = Math.max(lane.farthest, start + count);
      const closed: Closing[] = [];
      for (let i = 0; i < count; i++) {
        const at = row * count + i;
        if (i < ids[row]!.length) {
          const closing = advance(lane, ids[row]![i]!, entropies[at]!, config);
          if (closing !== null) closed.push(closing);
        }
        reading[at] = rowOf(patches, index, Math.max(0, lane.ends.length - 1));
        rows[at] = rowOf(states, index, start + i);
      }
      if (ids[row]!.length > 0) hashed.set(lastHashRows(lane, ids[row]!.length, config), row * count * tables);
      return closed;
    });

    const encoder = step(`encoder ${shape.lanes} ${count} ${states.capacity}`, () =>
      encoderStep(model, memory.encoder, states, shape),
    );
    await encoder.run({ ids: padded, hashRows: hashed, ring: rows, ...places(memory.encoder, starts, count) });

    await closeAll(group, closings, count);

    const decoder = step(`decoder ${shape.lanes} ${count} ${states.capacity}`, () =>
      decoderStep(model, memory.decoder, states, patches, shape),
    );
    const [logits] = await valuesOf(
      decoder.run({ bytes: rows, patch: reading, ...places(memory.decoder, starts, count) }),
    );
    return { logits: logits!, entropies };
  }

  function check(ids: readonly ArrayLike<number>[]): void {
    const longest = Math.max(...ids.map(({ length }, lane) => lanes[lane]!.ids.length + length));
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
      }));
      /** One step, and its outputs to where they belong: `from` is the place in what the lanes were given. */
      const take = async (
        group: readonly number[],
        parts: readonly (readonly number[])[],
        count: number,
        from: number,
      ) => {
        const { logits, entropies } = await readStep(group, parts, count);
        group.forEach((lane, row) => {
          const { length } = parts[row]!;
          const at = row * count;
          outputs[lane]!.logits.set(logits.subarray(at * VOCAB_SIZE, (at + length) * VOCAB_SIZE), from * VOCAB_SIZE);
          outputs[lane]!.entropies.set(entropies.subarray(at, at + length), from);
        });
      };
      const lengths = ids.map(({ length }) => length);
      const together = lengths.filter((length) => length === 1).length > apart;
      for (const [lane, length] of lengths.entries()) {
        if (length === 1 && together) continue;
        const some = Array.from(ids[lane]!);
        for (let from = 0; from < length; from += chunk) {
          const part = some.slice(from, from + chunk);
          await take([lane], [part], counts.find((count) => count >= part.length)!, from);
        }
      }
      if (together) {
        const all = [...lanes.keys()];
        await take(
          all,
          all.map((lane) => (lengths[lane] === 1 ? Array.from(ids[lane]!) : [])),
          1,
          0,
        );
      }
      return outputs;
    },
    async draft(index, first) {
      const lane = lanes[index]!;
      const ids = [first];
      const entropies: number[] = [];
      for (;;) {
        const at = lane.ids.length + ids.length - 1;
        const found = await runPatcher(Int32Array.of(ids.at(-1)!), [{ lane: index, start: at }], 1);
        entropies.push(found.entropies[0]!);
        const isFull = ids.length >= mostDrafted || at + 1 >= limit;
        if (isFull || closes(openStart(lane), at, entropies.at(-1)!, config)) break;
        ids.push(likeliestByte(found.logits));
      }
      lane.farthest = Math.max(lane.farthest, lane.ids.length + ids.length);
      lane.ahead = { ids, entropies };
      return ids;
    },
    state: (lane) => ({ length: lanes[lane]!.ids.length, ends: lanes[lane]!.ends }),
    reset(lane) {
      lanes[lane] = emptyLane();
    },
    rewind(index, length) {
      const lane = lanes[index]!;
      const reopened = lane.ends.findLast((end) => end <= length) ?? 0;
      const isLost = lane.farthest - length > chunk || lane.farthest - reopened > memory.states.capacity;
      if (length > lane.ids.length || isLost)
        throw new ByteifyError(
          `A lane of ${lane.ids.length} ids cannot go back to ${length}: it keeps ${chunk} at most.`,
        );
      rewindLane(lane, length);
    },
    fork(from, to) {
      memory.copy(lanes[from]!, from, to);
      lanes[to] = copiedLane(lanes[from]!);
    },
    dispose() {
      for (const one of made.values()) one.dispose();
      memory.dispose();
    },
  };
}
