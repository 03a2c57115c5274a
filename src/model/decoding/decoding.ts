/**
 * @module Exact incremental decoding (blt-format 2.7): a byte costs a step of the local models, and a patch, when it closes, one of the latent
 * global transformer. Several texts go side by side in lanes, each at its own length. Memory: rings of a fixed size a lane, and the
 * global keys and values, which grow by doubling.
 */
import { hashTables, type TransformerConfig, VOCAB_SIZE } from '../../blt/index.js';
import { tf } from '../../engine/index.js';
import { ByteifyError } from '../../errors.js';
import type { HeldBlt } from './held-blt.js';
import { advance, type Closing, emptyLane, type Lane, lastHashRows } from './lanes.js';
import { createCaches, disposeCaches, grownCaches, type LayerCaches } from './layer-caches.js';
import { placesOf, rollingCapacity } from './places.js';
import {
  createPatchRing,
  createStateRing,
  decoderStep,
  encoderStep,
  globalStep,
  patcherStep,
  poolStep,
  type StepShape,
} from './steps.js';

export interface DecodingOptions {
  /** Texts side by side. */
  readonly lanes: number;
  readonly mode: StepShape['mode'];
  /** Bytes a lane that are read at once where there are several (default 64). */
  readonly chunk?: number;
}

/** What a lane got back. */
export interface LaneOutput {
  /** Next-byte logits [n, 260] after each of the n ids that were read. */
  readonly logits: Float32Array;
  /** Entropies [n] of the patcher there, nats. */
  readonly entropies: Float32Array;
}

export interface Decoding {
  /** Reads ids: as many a lane as it is given, none included. A lane begins with BOS. */
  read(ids: readonly ArrayLike<number>[]): Promise<LaneOutput[]>;
  /** Ids that a lane has read, and the patches among them that are closed. */
  state(lane: number): { readonly length: number; readonly patches: number };
  /** Makes a lane begin anew. */
  reset(lane: number): void;
  dispose(): void;
}

const CHUNK = 64;
/** Patches a lane that go through the global layers at once while a prompt is read. */
const PATCHES_AT_ONCE = 16;
const FIRST_PATCHES = 256;

const powerOfTwo = (least: number): number => 2 ** Math.ceil(Math.log2(Math.max(1, least)));

/** The engine must be started. `model` stays the caller's. */
export function openDecoding(model: HeldBlt, { lanes: laneCount, mode, chunk = CHUNK }: DecodingOptions): Decoding {
  const { config } = model;
  const lanes: Lane[] = Array.from({ length: laneCount }, emptyLane);
  const local = (transformer: TransformerConfig) =>
    createCaches(transformer, laneCount, rollingCapacity(transformer.window ?? config.maxPositions, chunk));
  const caches = { patcher: local(config.patcher), encoder: local(config.encoder), decoder: local(config.decoder) };
  let globalCaches = createCaches(config.global, laneCount, FIRST_PATCHES);
  let stateRing = createStateRing(config, laneCount, powerOfTwo(4 * chunk));
  // A chunk closes at most one patch a byte, and its first bytes read the one before.
  const patchRing = createPatchRing(config, laneCount, chunk + 1);

  const made = new Map<string, { dispose(): void }>();
  function step<T extends { dispose(): void }>(key: string, make: () => T): T {
    const found = (made.get(key) as T | undefined) ?? make();
    made.set(key, found);
    return found;
  }
  const shape = (count: number): StepShape => ({ lanes: laneCount, count, mode });
  const starts = () => lanes.map(({ ids }) => ids.length);

  async function values(outputs: Promise<tf.Tensor[]>): Promise<Float32Array> {
    const [first] = await outputs;
    const found = first!.dataSync() as Float32Array;
    first!.dispose();
    return found;
  }

  /** Rows of the state ring for positions of a lane. */
  const stateRow = (lane: number, position: number) => lane * stateRing.capacity + (position % stateRing.capacity);
  const patchRow = (lane: number, patch: number) => lane * patchRing.capacity + (patch % patchRing.capacity);

  /** A lane's open patch and the new bytes must fit: otherwise a larger ring, and what is in the old one moved. */
  function growStates(count: number): void {
    const needed = Math.max(...lanes.map(({ ids, openStart }) => ids.length - openStart)) + count;
    if (needed <= stateRing.capacity) return;
    const old = stateRing;
    const larger = createStateRing(config, laneCount, powerOfTwo(needed));
    const [from, to]: number[][] = [[], []];
    lanes.forEach(({ ids, openStart }, lane) => {
      for (let position = openStart; position < ids.length; position++) {
        from!.push(lane * old.capacity + (position % old.capacity));
        to!.push(lane * larger.capacity + (position % larger.capacity));
      }
    });
    if (from!.length > 0) {
      tf.tidy(() => {
        larger.states.scatterRows(tf.tensor1d(to!, 'int32'), old.states.gatherRows(tf.tensor1d(from!, 'int32')));
      });
    }
    old.states.dispose();
    stateRing = larger;
  }

  function growGlobal(patches: number): void {
    if (patches > globalCaches.capacity) globalCaches = grownCaches(globalCaches, powerOfTwo(patches));
  }

  /** One group of closed patches, at most `count` a lane, through pooling and the global layers. */
  async function closePatches(group: readonly (readonly Closing[])[], count: number): Promise<void> {
    const firsts = group.map((closings, lane) => closings[0]?.patch ?? lanes[lane]!.patches);
    growGlobal(Math.max(...firsts) + count);
    const slots = laneCount * count;
    const total = group.flat().reduce((sum, { from, to }) => sum + to - from, 0);
    const members = powerOfTwo(Math.max(8, total));
    const ring = new Int32Array(members);
    const patch = new Int32Array(members).fill(slots);
    const rows = new Int32Array(slots).fill(laneCount * patchRing.capacity);
    let at = 0;
    group.forEach((closings, lane) => {
      closings.forEach((closing, i) => {
        rows[lane * count + i] = patchRow(lane, closing.patch);
        for (let position = closing.from; position < closing.to; position++, at++) {
          ring[at] = stateRow(lane, position);
          patch[at] = lane * count + i;
        }
      });
    });
    const pool = step(`pool ${members} ${count} ${stateRing.capacity}`, () =>
      poolStep(model, stateRing, { members, patches: slots, mode }),
    );
    const [vectors] = await pool.run({ ring, patch });
    const places = placesOf(config.global, firsts, count, globalCaches.capacity);
    const layers = step(`global ${count} ${globalCaches.capacity}`, () =>
      globalStep(model, globalCaches, patchRing, shape(count)),
    );
    await layers.run({ vectors: vectors!, ring: rows, ...places });
    vectors!.dispose();
  }

  /** At most `count` ids a lane. @returns logits and entropies [lanes, count]. */
  async function readStep(ids: readonly ArrayLike<number>[], count: number): Promise<[Float32Array, Float32Array]> {
    growStates(count);
    const before = starts();
    const slots = laneCount * count;
    const padded = new Int32Array(slots);
    ids.forEach((some, lane) => {
      padded.set(Array.from(some), lane * count);
    });
    const patcher = step(`patcher ${count}`, () => patcherStep(model, caches.patcher, shape(count)));
    const entropies = await values(
      patcher.run({ ids: padded, ...placesOf(config.patcher, before, count, caches.patcher.capacity) }),
    );

    const closings: Closing[][] = lanes.map(() => []);
    const reading = new Int32Array(slots);
    lanes.forEach((lane, index) => {
      for (let i = 0; i < count; i++) {
        if (i < ids[index]!.length) {
          lane.ids.push(ids[index]![i]!);
          const closing = advance(lane, index, entropies[index * count + i]!, config);
          if (closing !== null) closings[index]!.push(closing);
        }
        reading[index * count + i] = patchRow(index, Math.max(0, lane.patches - 1));
      }
    });

    const rows = Int32Array.from({ length: slots }, (_, at) =>
      stateRow(Math.floor(at / count), before[Math.floor(at / count)]! + (at % count)),
    );
    const tables = hashTables(config.hash);
    const hashed = new Int32Array(slots * tables);
    lanes.forEach((lane, index) => {
      if (ids[index]!.length > 0) hashed.set(lastHashRows(lane, ids[index]!.length, config), index * count * tables);
    });
    const encoder = step(`encoder ${count} ${stateRing.capacity}`, () =>
      encoderStep(model, caches.encoder, stateRing, shape(count)),
    );
    const ofEncoder = placesOf(config.encoder, before, count, caches.encoder.capacity);
    await encoder.run({ ids: padded, hashRows: hashed, ring: rows, ...ofEncoder });

    const most = Math.max(...closings.map(({ length }) => length));
    const atOnce = count === 1 ? 1 : PATCHES_AT_ONCE;
    for (let from = 0; from < most; from += atOnce)
      await closePatches(
        closings.map((some) => some.slice(from, from + atOnce)),
        atOnce,
      );

    const decoder = step(`decoder ${count} ${stateRing.capacity}`, () =>
      decoderStep(model, caches.decoder, stateRing, patchRing, shape(count)),
    );
    const ofDecoder = placesOf(config.decoder, before, count, caches.decoder.capacity);
    const logits = await values(decoder.run({ bytes: rows, patch: reading, ...ofDecoder }));
    return [logits, entropies];
  }

  return {
    async read(ids) {
      const longest = Math.max(...ids.map(({ length }, lane) => lanes[lane]!.ids.length + length));
      if (longest > config.maxPositions) {
        throw new ByteifyError(`The text is longer than the ${config.maxPositions - 1} bytes that this model reads.`);
      }
      const outputs = ids.map(({ length }) => ({
        logits: new Float32Array(length * VOCAB_SIZE),
        entropies: new Float32Array(length),
      }));
      const most = Math.max(...ids.map(({ length }) => length));
      for (let from = 0; from < most; from += chunk) {
        const count = most - from === 1 ? 1 : chunk;
        const part = ids.map((some) => Array.from(some).slice(from, from + count));
        const [logits, entropies] = await readStep(part, count);
        part.forEach(({ length }, lane) => {
          if (length === 0) return;
          const at = lane * count;
          outputs[lane]!.logits.set(logits.subarray(at * VOCAB_SIZE, (at + length) * VOCAB_SIZE), from * VOCAB_SIZE);
          outputs[lane]!.entropies.set(entropies.subarray(at, at + length), from);
        });
      }
      return outputs;
    },
    state: (lane) => ({ length: lanes[lane]!.ids.length, patches: lanes[lane]!.patches }),
    reset(lane) {
      lanes[lane] = emptyLane();
    },
    dispose() {
      for (const one of made.values()) one.dispose();
      for (const one of [...Object.values(caches), globalCaches] as LayerCaches[]) disposeCaches(one);
      stateRing.states.dispose();
      for (const variable of [...patchRing.keys, ...patchRing.values]) variable.dispose();
    },
  };
}
