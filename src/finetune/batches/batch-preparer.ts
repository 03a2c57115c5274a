/** @module Prepares the batches of a run: packs rows, cuts them by their entropies, hashes. Runs in any thread. No TensorFlow. */
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
import { type BltBatches, bltBatches, type SourceQuestion } from './blt-batches.js';
import type { Capacity } from './capacity.js';
import { microBatchesOf } from './micro-batches.js';
import { type OpenRows, openRows, type RowSource } from './row-source.js';
import type { StepBatch } from './step-batch.js';

/** The source as plain values. */
export interface SourceSettings {
  /** Holds its tokenizer. */
  readonly folder: string;
  readonly ids: SourceIds;
  readonly alignment: Alignment | null;
  readonly targets: readonly SourceTarget[];
}

/** Plain values: they travel to another thread. */
export interface PreparerSettings {
  readonly rows: RowSource;
  readonly config: BltConfig;
  /** Whether rows are cut into patches: a BLT's are, a byte language model's are not. */
  readonly patched: boolean;
  /** What the source is asked; null where nothing is. */
  readonly source: SourceSettings | null;
  /** Whether the hash table is trained, so that it matters which of its rows a step reads. */
  readonly trainsTable: boolean;
  readonly rowsPerStep: number;
  readonly microBatchRows: number;
  /** So far; zeros at a run's beginning. */
  readonly capacity: Capacity;
  /** The field that weighs what the loss adds up. */
  readonly weights: 'weights' | 'patchWeight';
  /** The folder of the tokenizer whose token ends a byte language model learns; null or left out where it learns none. */
  readonly labels?: { readonly tokenizerFolder: string } | null;
}

/** What the patcher reads. */
export type ByteBatch = BatchWith<Arrays, 'ids' | 'documents'>;

/** Makes one batch at a time: `pack`, then `batch`. */
export interface Preparer {
  /**
   * Packs the rows of the next batch.
   * @returns what the patcher reads of each micro-batch; nothing when rows are not cut.
   */
  pack(): Promise<readonly ByteBatch[]>;
  /**
   * The batch of the rows that were packed.
   * @param outputs what the patcher says of each micro-batch. The preparer keeps them: the caller must not use them again.
   */
  batch(outputs: readonly PatcherOutput[]): Promise<StepBatch>;
  /** Releases what it holds, after the call before has settled. */
  close(): Promise<void>;
}

type MicroBatches = readonly (readonly PackedRow[])[];

/** What is opened to prepare batches. */
interface Opened {
  readonly rows: OpenRows;
  readonly source: SourceQuestion | null;
  /** Of the token ends that are learnt. */
  readonly tokenizer: SourceTokenizer | null;
}

async function open({ rows, source, labels = null }: PreparerSettings): Promise<Opened> {
  const question = source === null ? null : { ...source, reader: await openSourceReader(source.folder, source.ids) };
  const tokenizer = labels === null ? null : await loadTokenizer(labels.tokenizerFolder);
  return { source: question, tokenizer, rows: await openRows(rows) };
}

/** What a language model of bytes learns from rows as they are. */
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

/** A preparer in this thread. What it reads is opened by the first `pack`. */
export function createPreparer(settings: PreparerSettings): Preparer {
  const { config, patched, trainsTable, rowsPerStep, microBatchRows, weights } = settings;
  let opened: Opened | null = null;
  let { capacity } = settings;
  let micros: MicroBatches = [];

  function prepared({ source, tokenizer }: Opened, outputs: readonly PatcherOutput[]): BltBatches {
    if (patched) return bltBatches(micros, outputs, { config, source, trainsTable, capacity });
    const batches = micros.map((rows) => byteModelBatch(rows, tokenizer));
    return { batches, sparseRows: null, patchCount: 0, tokenCount: 0, capacity, readings: [] };
  }

  return {
    async pack() {
      opened ??= await open(settings);
      micros = microBatchesOf(await opened.rows.next(rowsPerStep), microBatchRows);
      return patched ? micros.map((rows) => withDocuments(byteBatch(rows))) : [];
    },
    async batch(outputs) {
      const { readings, ...made } = prepared(opened!, outputs);
      capacity = made.capacity;
      return {
        ...made,
        weight: total(made.batches.map((batch) => total(requireFields(batch, [weights])[weights]))),
        bytes: total(micros.flat().map(({ byteCount }) => byteCount)),
        rows: micros.map((rows, i) => ({
          numbers: rows.map(({ number }) => number),
          tokens: (readings[i] ?? []).map(({ tokenCount }) => tokenCount),
        })),
        computedShare: 0,
        packer: opened!.rows.state(),
      };
    },
    async close() {
      await opened?.rows.close();
    },
  };
}
