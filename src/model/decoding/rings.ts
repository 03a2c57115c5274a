/** @module What is kept of bytes and of patches between the parts of a step, in rings a lane: position p lies at p modulo the capacity. */
import type { BltConfig } from '../../blt/index.js';
import { tf, type Variable, zeroVariable } from '../../engine/index.js';
import { crossLayers } from '../blt.js';

/** The row of a lane's position. */
export const rowOf = ({ capacity }: { readonly capacity: number }, lane: number, position: number): number =>
  lane * capacity + (position % capacity);

/** A ring of byte states, rows [lanes * capacity, He]: what the open patch is pooled from, and what the decoder starts from. */
export interface StateRing {
  readonly capacity: number;
  readonly states: Variable;
}

export const createStateRing = ({ encoder }: BltConfig, lanes: number, capacity: number): StateRing => ({
  capacity,
  states: zeroVariable([lanes * capacity, encoder.hiddenSize]),
});

/** What the decoder's layers read of patches: keys and values, rows [lanes * capacity + 1, k * kvHeads * d]. The last row is for padding. */
export interface PatchRing {
  readonly capacity: number;
  readonly keys: readonly Variable[];
  readonly values: readonly Variable[];
}

export function createPatchRing(config: BltConfig, lanes: number, capacity: number): PatchRing {
  const { decoder, crossAttnK: slots } = config;
  const width = (slots * decoder.kvHeads * decoder.hiddenSize) / decoder.heads;
  const layers = () => Array.from({ length: crossLayers(config) }, () => zeroVariable([lanes * capacity + 1, width]));
  return { capacity, keys: layers(), values: layers() };
}

/** Stretches of lanes: positions [from, to) of each. */
export interface Stretch {
  readonly lane: number;
  readonly from: number;
  readonly to: number;
}

/** Copies stretches of one ring's variables to rows of another's, which may be the same ring. */
export function copyStretches(
  variables: readonly (readonly [from: Variable, to: Variable])[],
  stretches: readonly Stretch[],
  rowsOf: (lane: number, position: number) => readonly [from: number, to: number],
): void {
  const pairs = stretches.flatMap(({ lane, from, to }) =>
    Array.from({ length: to - from }, (_, i) => rowsOf(lane, from + i)),
  );
  if (pairs.length === 0) return;
  tf.tidy(() => {
    const [source, target] = [0, 1].map((side) =>
      tf.tensor1d(
        pairs.map((pair) => pair[side]!),
        'int32',
      ),
    );
    for (const [from, to] of variables) to.scatterRows(target!, from.gatherRows(source!));
  });
}
