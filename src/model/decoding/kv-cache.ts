/** @module The state of a decoding between steps: ring buffers of a fixed size per slot, and the global keys and values, which grow with the patches. */
import { type BltConfig, type TransformerConfig, textPositions } from '../../blt/index.js';
import { rollingCapacity } from './cache-positions.js';
import { copySlot, createCaches, disposeCaches, grownCaches, type LayerCaches } from './layer-caches.js';
import {
  copyRows,
  createPatchBuffer,
  createStateBuffer,
  type PatchBuffer,
  rowOf,
  rowPairs,
  type StateBuffer,
} from './ring-buffers.js';
import { openStart, type SequenceSlot } from './sequence-slots.js';

export interface KvCache {
  readonly patcher: LayerCaches;
  readonly encoder: LayerCaches;
  readonly decoder: LayerCaches;
  readonly global: LayerCaches;
  readonly states: StateBuffer;
  readonly patches: PatchBuffer;
  /** Grows the global cache to a capacity of at least this many patches per slot. */
  growGlobal(patches: number): void;
  /** Grows the state buffer so that each slot's open patch and `count` more bytes fit. */
  growStates(slots: readonly SequenceSlot[], count: number): void;
  /** Copies what reading on needs of slot `from` to other slots. */
  copy(sequence: SequenceSlot, from: number, to: readonly number[]): void;
  dispose(): void;
}

/** The smallest power of two that is at least `minimum`. */
export const powerOfTwo = (minimum: number): number => 2 ** Math.ceil(Math.log2(Math.max(1, minimum)));

/** @param chunk maximum bytes per slot in one step @param patches initial capacity in patches per slot */
export function createKvCache(config: BltConfig, slots: number, chunk: number, patches: number): KvCache {
  const local = (transformer: TransformerConfig) =>
    createCaches(transformer, slots, rollingCapacity(transformer.window ?? textPositions(config), chunk));
  const [patcher, encoder, decoder] = [config.patcher, config.encoder, config.decoder].map(local) as [
    LayerCaches,
    LayerCaches,
    LayerCaches,
  ];
  let global = createCaches(config.global, slots, powerOfTwo(patches));
  let states = createStateBuffer(config, slots, powerOfTwo(4 * chunk));
  // A chunk closes at most one patch per byte, and its first bytes attend to the patch before it.
  const patchBuffer = createPatchBuffer(config, slots, chunk + 1);
  return {
    patcher,
    encoder,
    decoder,
    patches: patchBuffer,
    get global() {
      return global;
    },
    get states() {
      return states;
    },
    growGlobal(needed) {
      if (needed > global.capacity) global = grownCaches(global, powerOfTwo(needed));
    },
    growStates(all, count) {
      const needed = Math.max(...all.map((sequence) => sequence.ids.length - openStart(sequence))) + count;
      if (needed <= states.capacity) return;
      const larger = createStateBuffer(config, slots, powerOfTwo(needed));
      const open = all.flatMap((sequence, slot) =>
        rowPairs({ first: openStart(sequence), length: sequence.ids.length }, (position) => [
          rowOf(states, slot, position),
          rowOf(larger, slot, position),
        ]),
      );
      copyRows([[states.states, larger.states]], open);
      states.states.dispose();
      states = larger;
    },
    copy(sequence, from, to) {
      const { ids, ends } = sequence;
      const { length } = ids;
      for (const caches of [patcher, encoder, decoder])
        copySlot(caches, { from, to, first: Math.max(0, length - (caches.config.window ?? length)), length });
      copySlot(global, { from, to, first: 0, length: ends.length });
      const copies = (buffer: { readonly capacity: number }, first: number, end: number) =>
        to.flatMap((slot) =>
          rowPairs({ first, length: end }, (position) => [
            rowOf(buffer, from, position),
            rowOf(buffer, slot, position),
          ]),
        );
      copyRows([[states.states, states.states]], copies(states, openStart(sequence), length));
      // The next byte reads the last closed patch.
      const kept = patchBuffer.layers.flat().map((variable) => [variable, variable] as const);
      copyRows(kept, copies(patchBuffer, Math.max(0, ends.length - 1), ends.length));
    },
    dispose() {
      for (const caches of [patcher, encoder, decoder, global]) disposeCaches(caches);
      for (const variable of [states.states, ...patchBuffer.layers.flat()]) variable.dispose();
    },
  };
}
