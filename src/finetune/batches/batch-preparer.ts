/** @module Prepares the batches of a run: packs rows, cuts them by their entropies, and hashes n-grams. It can run in any thread. No TensorFlow. */
import type { BltConfig } from '../../blt/index.js';
import type { PackedRow } from '../../data/index.js';
import {
  type Alignment,
  type Arrays,
  type BatchWith,
  byteBatch,
  learningFields,
  openSourceReader,
  type PartialBatch,
  type PatcherOutput,
  requireFields,
  type SourceIds,
  type SourceTarget,
  tokenEndFields,
  withDocuments,
} from '../../patching/index.js';
import { loadTokenizer, type SourceTokenizer } from '../../tokenizer/index.js';
import { type BltBatches, bltBatches, type SourceQuery } from './blt-batches.js';
import type { Capacity } from './capacity.js';
import { microBatchesOf, type Share, shareOf, WHOLE } from './micro-batches.js';
import type { NgramDropout } from './ngram-dropout.js';
import { type OpenRows, openRows, type RowSource } from './row-source.js';
import type { StepBatch } from './step-batch.js';

/** The source as plain values, which can be sent to another thread. */
export interface SourceSettings {
  /** The folder of its tokenizer. */
  readonly folder: string;
  readonly ids: SourceIds;
  readonly alignment: Alignment | null;
  readonly targets: readonly SourceTarget[];
}

/** Plain values, which can be sent to another thread. */
export interface PreparerSettings {
  readonly rows: RowSource;
  readonly config: BltConfig;
  /** Whether rows are cut into patches: those of a BLT are, those of a byte language model are not. */
  readonly patched: boolean;
  /** What the source must provide; null if nothing. */
  readonly source: SourceSettings | null;
  /** Whether the hash table is trained, so that its sparse row indices are needed. */
  readonly trainsTable: boolean;
  readonly rowsPerStep: number;
  readonly microBatchRows: number;
  /**
   * All processes pack the same rows, and each trains on its own micro-batches. What a batch counts is of all rows. Absent if there is one process.
   */
  readonly share?: Share;
  /** The capacity of the run so far; zeros when it begins. */
  readonly capacity: Capacity;
  /** Null or omitted if all n-grams are read. */
  readonly ngramDropout?: NgramDropout | null;
  /** The field whose sum the loss is divided by. */
  readonly weights: 'weights' | 'patchWeight';
  /** The folder of the tokenizer whose token ends a byte language model learns; null or omitted if it learns none. */
  readonly labels?: { readonly tokenizerFolder: string } | null;
}

/** The fields that the patcher reads. */
export type ByteBatch = BatchWith<Arrays, 'ids' | 'documents'>;

/** Prepares one batch at a time: call `pack`, then `batch`. */
export interface Preparer {
  /**
   * Packs the rows of the next batch.
   * @returns the patcher's input for each micro-batch of this process; empty if rows are not cut.
   */
  pack(): Promise<readonly ByteBatch[]>;
  /**
   * Builds the batch from the packed rows.
   * @param outputs the patcher's output for each micro-batch, those of other processes included. The preparer takes ownership: the caller must not use them again.
   */
  batch(outputs: readonly PatcherOutput[]): Promise<StepBatch>;
  /** Releases everything. Call it only after the previous call has settled. */
  close(): Promise<void>;
}

type MicroBatches = readonly (readonly PackedRow[])[];

/** What the first `pack` opens. */
interface Opened {
  readonly rows: OpenRows;
  readonly source: SourceQuery | null;
  /** Of the token ends that are learnt. */
  readonly tokenizer: SourceTokenizer | null;
}

async function open({ rows, source, labels = null }: PreparerSettings): Promise<Opened> {
  const reading = source === null ? null : { ...source, reader: await openSourceReader(source.folder, source.ids) };
  const tokenizer = labels === null ? null : await loadTokenizer(labels.tokenizerFolder);
  return { source: reading, tokenizer, rows: await openRows(rows) };
}

/** A micro-batch of a byte language model: the rows as they are, without patches. */
function byteModelBatch(rows: readonly PackedRow[], tokenizer: SourceTokenizer | null): PartialBatch<Arrays> {
  return {
    ...withDocuments(byteBatch(rows)),
    ...learningFields(rows),
    ...(tokenizer !== null && tokenEndFields(rows, tokenizer)),
  };
}

function total(values: Iterable<number>): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}

/** A preparer in the current thread. The first `pack` opens its files. */
export function createPreparer(settings: PreparerSettings): Preparer {
  const {
    config,
    patched,
    trainsTable,
    ngramDropout = null,
    rowsPerStep,
    microBatchRows,
    share = WHOLE,
    weights,
  } = settings;
  let opened: Opened | null = null;
  let { capacity } = settings;
  let micros: MicroBatches = [];

  function prepared({ source, tokenizer, rows }: Opened, outputs: readonly PatcherOutput[]): BltBatches {
    if (patched) {
      // A run that resumes drops the same n-grams, and each epoch drops others.
      const dropout = ngramDropout && { ...ngramDropout, key: `${ngramDropout.key} ${rows.state().epoch}` };
      return bltBatches(micros, outputs, { config, source, trainsTable, ngramDropout: dropout, capacity });
    }
    const batches = micros.map((rows) => byteModelBatch(rows, tokenizer));
    return { batches, sparseRows: null, patchCount: 0, tokenCount: 0, capacity, readings: [] };
  }

  return {
    async pack() {
      opened ??= await open(settings);
      micros = microBatchesOf(await opened.rows.next(rowsPerStep), microBatchRows, share.size);
      return patched ? shareOf(micros, share).map((rows) => withDocuments(byteBatch(rows))) : [];
    },
    async batch(outputs) {
      const { readings, ...made } = prepared(opened!, outputs);
      capacity = made.capacity;
      const rows = micros.map((rows, i) => ({
        numbers: rows.map(({ number }) => number),
        tokens: (readings[i] ?? []).map(({ tokenCount }) => tokenCount),
      }));
      return {
        ...made,
        batches: shareOf(made.batches, share),
        rows: shareOf(rows, share),
        weight: total(made.batches.map((batch) => total(requireFields(batch, [weights])[weights]))),
        bytes: total(micros.flat().map(({ byteCount }) => byteCount)),
        computedShare: 0,
        packer: opened!.rows.state(),
      };
    },
    async close() {
      await opened?.rows.close();
    },
  };
}
