/** @module The batch of one step, and the state of the run after it. No TensorFlow. */
import type { PackerState } from '../../data/index.js';
import type { Arrays, PartialBatch } from '../../patching/index.js';
import type { Capacity } from './capacity.js';
import type { SparseRows } from './sparse-rows.js';

/** The rows of a micro-batch. */
export interface MicroBatchRows {
  /** The number of each row in its epoch; -1 for padding. */
  readonly numbers: readonly number[];
  /** How many tokens of the source each row has; empty if the source is not used. */
  readonly tokens: readonly number[];
}

export interface StepBatch {
  /** The micro-batches of this process. If `sparseRows` is set, their `hashRows` are positions in its indices. */
  readonly batches: readonly PartialBatch<Arrays>[];
  /** The rows of the hash table that the step reads, on all processes; null if the table is not trained. */
  readonly sparseRows: SparseRows | null;
  /** The divisor of the loss: the number of predicted positions, or of patches. */
  readonly weight: number;
  /** The number of predicted bytes. */
  readonly bytes: number;
  /** The number of patches in all rows; 0 if rows are not cut. */
  readonly patchCount: number;
  /** The number of the source's tokens in all rows; 0 if the source is not used. */
  readonly tokenCount: number;
  /** For each micro-batch of this process. */
  readonly rows: readonly MicroBatchRows[];
  /** The share of rows whose source states were computed for this batch instead of being read from the cache. */
  readonly computedShare: number;
  /** The state of the packer, and the capacity, after this step. */
  readonly packer: PackerState;
  readonly capacity: Capacity;
}
