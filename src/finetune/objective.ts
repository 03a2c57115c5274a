/** @module What a training loop optimises: the parameters it moves and the loss of some packed rows. */

import type { BltConfig, TensorSpec } from '../blt/index.js';
import type { PackedRow } from '../data/index.js';
import type { tf } from '../engine/index.js';
import {
  bltLogits,
  byteBatch,
  cutIntoPatches,
  nextByteLoss,
  type Params,
  patcherLogits,
  type Targets,
} from '../model/index.js';
import type { Loss } from './gradients.js';

export interface Objective {
  /** Whether a tensor is moved; the others are held as they are. */
  readonly trains: (spec: TensorSpec) => boolean;
  /** Whether the loss reads a tensor at all. */
  readonly reads: (spec: TensorSpec) => boolean;
  /**
   * The loss of a micro-batch. What needs no gradient (patching) is done when it is made.
   * @param fixed the parameters that are read and not moved; @param denominator the step's total weight.
   */
  readonly loss: (rows: readonly PackedRow[], fixed: Params, denominator: number) => Loss;
}

/** Targets of packed rows side by side. */
export function targetsOf(rows: readonly PackedRow[]): Targets {
  const length = rows[0]!.ids.length;
  const ids = new Int32Array(rows.length * length);
  const weights = new Float32Array(rows.length * length);
  rows.forEach((row, i) => {
    ids.set(row.targets, i * length);
    weights.set(row.weights, i * length);
  });
  return { ids, weights };
}

/** Next-byte loss of the byte language model that becomes the patcher (blt-format 2.1). */
export function patcherObjective(config: BltConfig): Objective {
  return {
    trains: ({ part }) => part === 'patcher',
    reads: ({ part }) => part === 'patcher',
    loss: (rows, _fixed, denominator) => {
      const batch = byteBatch(rows);
      const targets = targetsOf(rows);
      return (params) => nextByteLoss(patcherLogits(params, config.patcher, batch), targets, denominator);
    },
  };
}

/** Next-byte loss through the whole BLT with the patcher frozen: the paper's way (section 3.1, blt-format 6.1). */
export function endToEndObjective(config: BltConfig, frozen: readonly string[]): Objective {
  return {
    trains: ({ part }) => part !== 'patcher' && !frozen.includes(part),
    reads: () => true,
    loss: (rows, fixed, denominator) => {
      const { batch } = cutIntoPatches(fixed, config, rows);
      const targets = targetsOf(rows);
      return (params) => {
        const all = new Map<string, tf.Tensor>([...fixed, ...params]);
        return nextByteLoss(bltLogits(all, config, batch), targets, denominator);
      };
    },
  };
}
