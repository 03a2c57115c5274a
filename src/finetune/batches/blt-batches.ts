/** @module Builds the micro-batches of a BLT: cuts rows into patches, hashes n-grams, and adds the targets from the source. No TensorFlow. */
import { type BltConfig, hashTables } from '../../blt/index.js';
import type { PackedRow } from '../../data/index.js';
import {
  type Alignment,
  type Arrays,
  type BatchWith,
  type CutRows,
  cutRows,
  isLateCut,
  learningFields,
  type PatcherOutput,
  type RowReading,
  readRows,
  type SourceReader,
  type SourceTarget,
  withDocuments,
  withSource,
} from '../../patching/index.js';
import { type Capacity, growCapacity } from './capacity.js';
import { dropNgrams, type NgramDropout } from './ngram-dropout.js';
import { sparseRows } from './sparse-rows.js';
import type { StepBatch } from './step-batch.js';

/** How the source reads text, and what it must provide. */
export interface SourceQuery {
  readonly reader: SourceReader;
  readonly alignment: Alignment | null;
  readonly targets: readonly SourceTarget[];
}

export interface BltBatchOptions {
  readonly config: BltConfig;
  /** Null if nothing is needed of the source. */
  readonly source: SourceQuery | null;
  /** Whether the hash table is trained, so that its sparse row indices are needed. */
  readonly trainsTable: boolean;
  /** Null if all n-grams are read. */
  readonly ngramDropout: NgramDropout | null;
  /** The capacity of the run so far. */
  readonly capacity: Capacity;
}

export interface BltBatches
  extends Pick<StepBatch, 'batches' | 'sparseRows' | 'patchCount' | 'tokenCount' | 'capacity'> {
  /** For each micro-batch, how the source reads its rows; empty if nothing is needed of it. */
  readonly readings: readonly (readonly RowReading[])[];
}

type MicroBatches = readonly (readonly PackedRow[])[];

/** Cuts rows into patches. All rows are padded to the same capacity, which grows if one needs more. */
function cut(
  micros: MicroBatches,
  outputs: readonly PatcherOutput[],
  { config, capacity }: BltBatchOptions,
): readonly CutRows[] {
  const cutTo = (patches: number) => micros.map((rows, i) => cutRows(rows, outputs[i]!.entropies, config, patches));
  const cuts = cutTo(capacity.patches);
  const patches = growCapacity(capacity.patches, Math.max(...cuts.map(({ batch }) => batch.patches)));
  return patches === capacity.patches ? cuts : cutTo(patches);
}

function read(
  rows: readonly PackedRow[],
  cuts: CutRows,
  { endProbabilities }: PatcherOutput,
  { reader, alignment }: SourceQuery,
): RowReading[] {
  const late = (position: number) => isLateCut(alignment, endProbabilities?.[position] ?? 1);
  return readRows(rows, cuts, reader, late);
}

const patchesIn = ({ patchLengths }: CutRows) =>
  patchLengths.flat().reduce((sum, lengths) => sum + lengths.filter((length) => length > 0).length, 0);

/** Replaces `hashRows` by positions in the list of distinct rows that the step reads. */
function withSparseRows(
  batches: readonly BatchWith<Arrays, 'hashRows'>[],
  { hash }: BltConfig,
): Pick<StepBatch, 'batches' | 'sparseRows'> {
  const lists = batches.map(({ hashRows }) => hashRows);
  const { positions, ...rows } = sparseRows(lists, hash.vocab * hashTables(hash));
  return { batches: batches.map((batch, i) => ({ ...batch, hashRows: positions[i]! })), sparseRows: rows };
}

/**
 * Builds the batches of one step.
 * @param micros the rows of each micro-batch.
 * @param outputs the patcher's output for each micro-batch.
 */
export function bltBatches(
  micros: MicroBatches,
  outputs: readonly PatcherOutput[],
  options: BltBatchOptions,
): BltBatches {
  const { config, source, trainsTable, ngramDropout } = options;
  const cuts = cut(micros, outputs, options);
  if (ngramDropout !== null)
    for (const [i, rows] of micros.entries()) dropNgrams(cuts[i]!.batch.hashRows, rows, config.hash, ngramDropout);
  const readings = source === null ? [] : micros.map((rows, i) => read(rows, cuts[i]!, outputs[i]!, source));
  const counts = readings.flat().map(({ tokenCount }) => tokenCount);
  const tokens = growCapacity(options.capacity.tokens, Math.max(0, ...counts));
  const batches = micros.map((rows, i) => {
    const batch = { ...withDocuments(cuts[i]!.batch), ...learningFields(rows), tokens };
    return source === null ? batch : withSource(batch, source.targets, readings[i]!, source.reader);
  });
  return {
    ...(trainsTable ? withSparseRows(batches, config) : { batches, sparseRows: null }),
    patchCount: cuts.reduce((sum, some) => sum + patchesIn(some), 0),
    tokenCount: counts.reduce((sum, count) => sum + count, 0),
    capacity: { patches: cuts[0]!.batch.patches, tokens },
    readings,
  };
}
