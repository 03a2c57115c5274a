/** @module Ring buffers, one per sequence slot, that pass byte states and what bytes read of the patches between the parts of a step: position p is stored at p modulo the capacity. */
import type { BltConfig } from '../../blt/index.js';
import { tf, type Variable, zeroVariable } from '../../engine/index.js';
import { crossLayers } from '../blt.js';
import { patchRowWidths } from '../cross-attention.js';

/** The row of a position in a slot's ring buffer. */
export const rowOf = ({ capacity }: { readonly capacity: number }, slot: number, position: number): number =>
  slot * capacity + (position % capacity);

/** Byte states, rows [slots * capacity, He], from which the open patch is pooled and the decoder starts. */
export interface StateBuffer {
  readonly capacity: number;
  readonly states: Variable;
}

export const createStateBuffer = ({ encoder }: BltConfig, slots: number, capacity: number): StateBuffer => ({
  capacity,
  states: zeroVariable([slots * capacity, encoder.hiddenSize]),
});

/** What the decoder's cross-attention reads of patches (`PatchRows`). The last row of a variable is for padding. */
export interface PatchBuffer {
  readonly capacity: number;
  /** One list per layer that attends to patches, of variables [slots * capacity + 1, width]. */
  readonly layers: readonly (readonly Variable[])[];
}

export function createPatchBuffer(config: BltConfig, slots: number, capacity: number): PatchBuffer {
  const { decoder, crossAttnK } = config;
  const widths = patchRowWidths(decoder, crossAttnK);
  const layer = () => widths.map((width) => zeroVariable([slots * capacity + 1, width]));
  return { capacity, layers: Array.from({ length: crossLayers(config) }, layer) };
}

/** Positions [from, to) of a slot. */
export interface SlotRange {
  readonly slot: number;
  readonly from: number;
  readonly to: number;
}

/** Copies ranges of one ring buffer's variables to rows of another's, which may be the same buffer. */
export function copyRanges(
  variables: readonly (readonly [from: Variable, to: Variable])[],
  ranges: readonly SlotRange[],
  rowsOf: (slot: number, position: number) => readonly [from: number, to: number],
): void {
  const pairs = ranges.flatMap(({ slot, from, to }) =>
    Array.from({ length: to - from }, (_, i) => rowsOf(slot, from + i)),
  );
  if (pairs.length === 0) return;
  tf.tidy(() => {
    const [source, target] = [0, 1].map((end) =>
      tf.tensor1d(
        pairs.map((pair) => pair[end]!),
        'int32',
      ),
    );
    for (const [from, to] of variables) to.scatterRows(target!, from.gatherRows(source!));
  });
}
