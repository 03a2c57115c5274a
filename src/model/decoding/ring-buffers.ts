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

/** The rows of positions [first, length) in two slots, of one buffer or of two. */
export function rowPairs(
  { first, length }: Readonly<Record<'first' | 'length', number>>,
  rowsOf: (position: number) => readonly [from: number, to: number],
): (readonly [from: number, to: number])[] {
  return Array.from({ length: length - first }, (_, i) => rowsOf(first + i));
}

/** Copies rows of one ring buffer's variables to rows of another's, which may be the same buffer. */
export function copyRows(
  variables: readonly (readonly [from: Variable, to: Variable])[],
  pairs: readonly (readonly [from: number, to: number])[],
): void {
  if (pairs.length === 0) return;
  const rowsAt = (end: 0 | 1) =>
    tf.tensor1d(
      Int32Array.from(pairs, (pair) => pair[end]),
      'int32',
    );
  tf.tidy(() => {
    const [source, target] = [rowsAt(0), rowsAt(1)];
    for (const [from, to] of variables) to.scatterRows(target, from.gatherRows(source));
  });
}
