/** @module What one step takes, and where the run stands after it. No TensorFlow. */
import type { PackerState } from '../../data/index.js';
import type { Arrays, PartialBatch } from '../../patching/index.js';
import type { Capacity } from './capacity.js';
import type { SparseRows } from './sparse-rows.js';

/** The rows of a micro-batch. */
export interface MicroBatchRows {
  /** The number of each row in its epoch, -1 for padding. */
  readonly numbers: readonly number[];
  /** How many tokens the source has for each row; empty where it is not read. */
  readonly tokens: readonly number[];
}

export interface StepBatch {
  /** The micro-batches; with sparse rows, `hashRows` are positions among those. */
  readonly batches: readonly PartialBatch<Arrays>[];
  /** The rows of the hash table that the step reads; null where the table is not trained. */
  readonly sparseRows: SparseRows | null;
  /** What the loss is divided by: positions that count, or patches. */
  readonly weight: number;
  /** Bytes that are predicted. */
  readonly bytes: number;
  /** Patches of all rows; 0 where rows are not cut. */
  readonly patchCount: number;
  /** The source's tokens for all rows; 0 where it is not read. */
  readonly tokenCount: number;
  /** Of each micro-batch. */
  readonly rows: readonly MicroBatchRows[];
  /** The share of the rows whose source states were computed for this batch, not read from where they are kept. */
  readonly computedShare: number;
  /** Where the packer and the capacity stand after this step. */
  readonly packer: PackerState;
  readonly capacity: Capacity;
}
