/** @module All that a decoding keeps between steps: rings of a fixed size a lane, and the global keys and values, which grow with the patches. */
import { type BltConfig, type TransformerConfig, textPositions } from '../../blt/index.js';
import { type Lane, openStart } from './lanes.js';
import { copyLane, createCaches, disposeCaches, grownCaches, type LayerCaches } from './layer-caches.js';
import { rollingCapacity } from './places.js';
import { copyStretches, createPatchRing, createStateRing, type PatchRing, rowOf, type StateRing } from './rings.js';

export interface Memory {
  readonly patcher: LayerCaches;
  readonly encoder: LayerCaches;
  readonly decoder: LayerCaches;
  readonly global: LayerCaches;
  readonly states: StateRing;
  readonly patches: PatchRing;
  /** Makes room for patches of every lane. */
  growGlobal(patches: number): void;
  /** Makes room for the open patches of lanes and `count` bytes more. */
  growStates(lanes: readonly Lane[], count: number): void;
  /** Makes lane `to` hold what lane `from` does. */
  copy(lane: Lane, from: number, to: number): void;
  dispose(): void;
}

export const powerOfTwo = (least: number): number => 2 ** Math.ceil(Math.log2(Math.max(1, least)));

/** @param chunk the most bytes a lane that one step reads. @param patches room for as many to begin with */
export function createMemory(config: BltConfig, lanes: number, chunk: number, patches: number): Memory {
  const local = (transformer: TransformerConfig) =>
    createCaches(transformer, lanes, rollingCapacity(transformer.window ?? textPositions(config), chunk));
  const [patcher, encoder, decoder] = [config.patcher, config.encoder, config.decoder].map(local) as [
    LayerCaches,
    LayerCaches,
    LayerCaches,
  ];
  let global = createCaches(config.global, lanes, powerOfTwo(patches));
  let states = createStateRing(config, lanes, powerOfTwo(4 * chunk));
  // A chunk closes at most one patch a byte, and its first bytes read the one before.
  const patchRing = createPatchRing(config, lanes, chunk + 1);
  return {
    patcher,
    encoder,
    decoder,
    patches: patchRing,
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
      const needed = Math.max(...all.map((lane) => lane.ids.length - openStart(lane))) + count;
      if (needed <= states.capacity) return;
      const larger = createStateRing(config, lanes, powerOfTwo(needed));
      const open = all.map((lane, index) => ({ lane: index, from: openStart(lane), to: lane.ids.length }));
      copyStretches([[states.states, larger.states]], open, (lane, position) => [
        rowOf(states, lane, position),
        rowOf(larger, lane, position),
      ]);
      states.states.dispose();
      states = larger;
    },
    copy(lane, from, to) {
      for (const caches of [patcher, encoder, decoder]) copyLane(caches, from, to);
      copyLane(global, from, to, lane.ends.length);
      const between = (ring: { readonly capacity: number }) => (source: number, position: number) =>
        [rowOf(ring, source, position), rowOf(ring, to, position)] as const;
      copyStretches(
        [[states.states, states.states]],
        [{ lane: from, from: openStart(lane), to: lane.ids.length }],
        between(states),
      );
      const kept = [...patchRing.keys, ...patchRing.values].map((variable) => [variable, variable] as const);
      const oldest = Math.max(0, lane.ends.length - patchRing.capacity);
      copyStretches(kept, [{ lane: from, from: oldest, to: lane.ends.length }], between(patchRing));
    },
    dispose() {
      for (const caches of [patcher, encoder, decoder, global]) disposeCaches(caches);
      for (const variable of [states.states, ...patchRing.keys, ...patchRing.values]) variable.dispose();
    },
  };
}
