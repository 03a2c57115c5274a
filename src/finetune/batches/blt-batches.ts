/** @module Micro-batches as a BLT learns from them: cut into patches, hashed, with what is asked of the source. Pure work on the host. */
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
import { type Capacity, grown } from './capacity.js';
import { sparseRows } from './sparse-rows.js';
import type { StepBatch } from './step-batch.js';

/** How the source is read, and what it is asked. */
export interface SourceQuestion {
  readonly reader: SourceReader;
  readonly alignment: Alignment | null;
  readonly targets: readonly SourceTarget[];
}

export interface BltBatchOptions {
  readonly config: BltConfig;
  /** Null where nothing is asked of it. */
  readonly source: SourceQuestion | null;
  /** Whether the hash table is trained, so that it matters which of its rows a step reads. */
  readonly trainsTable: boolean;
  /** So far. */
  readonly capacity: Capacity;
}

export interface BltBatches
  extends Pick<StepBatch, 'batches' | 'sparseRows' | 'patchCount' | 'tokenCount' | 'capacity'> {
  /** The source's reading of each micro-batch, row by row; empty where nothing is asked of it. */
  readonly readings: readonly (readonly RowReading[])[];
}

type MicroBatches = readonly (readonly PackedRow[])[];

/** Cut into patches, in rows whose capacity holds the longest. */
function cut(
  micros: MicroBatches,
  outputs: readonly PatcherOutput[],
  { config, capacity }: BltBatchOptions,
): readonly CutRows[] {
  const cutTo = (patches: number) => micros.map((rows, i) => cutRows(rows, outputs[i]!.entropies, config, patches));
  const cuts = cutTo(capacity.patches);
  const patches = grown(capacity.patches, Math.max(...cuts.map(({ batch }) => batch.patches)));
  return patches === capacity.patches ? cuts : cutTo(patches);
}

function read(
  rows: readonly PackedRow[],
  cuts: CutRows,
  { endProbabilities }: PatcherOutput,
  { reader, alignment }: SourceQuestion,
): RowReading[] {
  const late = (position: number) => isLateCut(alignment, endProbabilities?.[position] ?? 1);
  return readRows(rows, cuts, reader, late);
}

const patchesIn = ({ patchLengths }: CutRows) =>
  patchLengths.flat().reduce((sum, lengths) => sum + lengths.filter((length) => length > 0).length, 0);

/** `hashRows` as positions among the rows of the table that the step reads. */
function withSparseRows(
  batches: readonly BatchWith<Arrays, 'hashRows'>[],
  { hash }: BltConfig,
): Pick<StepBatch, 'batches' | 'sparseRows'> {
  const lists = batches.map(({ hashRows }) => hashRows);
  const { positions, ...rows } = sparseRows(lists, hash.vocab * hashTables(hash));
  return { batches: batches.map((batch, i) => ({ ...batch, hashRows: positions[i]! })), sparseRows: rows };
}

/**
 * The batches of one step.
 * @param micros rows of each micro-batch.
 * @param outputs what the patcher says of each.
 */
export function bltBatches(
  micros: MicroBatches,
  outputs: readonly PatcherOutput[],
  options: BltBatchOptions,
): BltBatches {
  const { config, source, trainsTable } = options;
  const cuts = cut(micros, outputs, options);
  const readings = source === null ? [] : micros.map((rows, i) => read(rows, cuts[i]!, outputs[i]!, source));
  const counts = readings.flat().map(({ tokenCount }) => tokenCount);
  const tokens = grown(options.capacity.tokens, Math.max(0, ...counts));
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
