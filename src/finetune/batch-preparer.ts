/** @module Prepares the batches of a run: packs rows, cuts them by their entropies, hashes. Runs in any thread. No TensorFlow. */
import { type BltConfig, hashTables } from '../blt/index.js';
import type { PackedRow, PackerState } from '../data/index.js';
import { loadTokenizer, type SourceTokenizer } from '../tokenizer/index.js';
import { type BatchArrays, bltArrays, byteArrays, patcherArrays, tokenEndArrays } from './batch-arrays.js';
import { type OpenRows, openRows, type RowSource } from './row-source.js';
import { type TouchedRows, touchedRows } from './touched-rows.js';

/** Everything one step takes, and where the run stands after it. */
export interface StepBatch {
  readonly batches: readonly BatchArrays[];
  readonly touched: TouchedRows | null;
  /** Weighted positions. */
  readonly weight: number;
  /** Bytes that are predicted. */
  readonly bytes: number;
  readonly packer: PackerState;
  /** Room for patches in a row. */
  readonly patches: number;
}

/** Plain values: they travel to another thread. */
export interface PreparerSettings {
  readonly rows: RowSource;
  readonly config: BltConfig;
  /** Whether rows are cut into patches: a BLT's are, a byte language model's are not. */
  readonly patched: boolean;
  /** Whether the hash table is trained, so that the rows a step touches matter. */
  readonly trainsTable: boolean;
  readonly rowsPerStep: number;
  readonly microBatchRows: number;
  /** Room for patches in a row so far; 0 at a run's beginning. */
  readonly patches: number;
  /** The folder of the tokenizer whose token ends a byte language model learns, or null. */
  readonly labels?: { readonly tokenizerFolder: string } | null;
}

/** Makes one batch at a time: `pack`, then `batch`. */
export interface Preparer {
  /**
   * Packs the rows of the next batch.
   * @returns what the patcher reads of each micro-batch; nothing when rows are not cut.
   */
  pack(): Promise<readonly BatchArrays[]>;
  /**
   * The batch of the rows that were packed.
   * @param entropies of each micro-batch, nats [rows * length]. The preparer keeps them: the caller must not use them again.
   */
  batch(entropies: readonly Float32Array[]): Promise<StepBatch>;
  /** Releases what it holds, after the call before has settled. */
  close(): Promise<void>;
}

/** A row of padding alone: it fills the last micro-batch. */
function blankRow(length: number): PackedRow {
  const zeros = () => new Int32Array(length);
  return { ids: zeros(), targets: zeros(), weights: new Float32Array(length), chunks: [], byteCount: 0 };
}

function microBatches(rows: readonly PackedRow[], size: number): PackedRow[][] {
  const blank = blankRow(rows[0]!.ids.length);
  return Array.from({ length: Math.ceil(rows.length / size) }, (_, i) =>
    Array.from({ length: size }, (_, j) => rows[i * size + j] ?? blank),
  );
}

const total = (values: Iterable<number>) => {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
};

/** Room is made in steps, with some to spare: a step is traced anew whenever it grows. */
const SPARE = 1.03;
const STEP = 8;
const roomFor = (patches: number) => Math.ceil((patches * SPARE) / STEP) * STEP;

const patchesOf = ({ patchDocuments }: BatchArrays) => patchDocuments!.shape[1]!;

/** A preparer in this thread. What it reads is opened by the first `pack`. */
export function createPreparer(settings: PreparerSettings): Preparer {
  const { config, patched, trainsTable, rowsPerStep, microBatchRows, labels = null } = settings;
  const spareRow = config.hash.vocab * hashTables(config.hash);
  let open: OpenRows | null = null;
  let tokenizer: SourceTokenizer | null = null;
  let room = settings.patches;
  let micros: PackedRow[][] = [];

  /** Micro-batches cut into patches, in rows that have room for the longest. */
  function cut(entropies: readonly Float32Array[]): BatchArrays[] {
    const inRoom = () => micros.map((rows, i) => bltArrays(rows, { entropies: entropies[i]!, patches: room }, config));
    const batches = inRoom();
    const needed = Math.max(...batches.map(patchesOf));
    if (needed <= room) return batches;
    room = roomFor(needed);
    return inRoom();
  }

  /** Micro-batches whose `hashRows` are places among the rows that the step touches. */
  function withPlaces(batches: readonly BatchArrays[]): Pick<StepBatch, 'batches' | 'touched'> {
    const lists = batches.map(({ hashRows }) => hashRows!.values as Int32Array);
    const touched = touchedRows(lists, spareRow);
    const placed = batches.map((batch, i) => {
      const { shape } = batch.hashRows!;
      return { ...batch, hashRows: { values: touched.places[i]!, shape } };
    });
    return { batches: placed, touched };
  }

  const learned = (rows: readonly PackedRow[]): BatchArrays =>
    tokenizer === null ? byteArrays(rows) : { ...byteArrays(rows), ...tokenEndArrays(rows, tokenizer) };

  return {
    async pack() {
      open ??= await openRows(settings.rows);
      if (labels !== null) tokenizer ??= await loadTokenizer(labels.tokenizerFolder);
      micros = microBatches(await open.next(rowsPerStep), microBatchRows);
      return patched ? micros.map(patcherArrays) : [];
    },
    async batch(entropies) {
      const batches = patched ? cut(entropies) : micros.map(learned);
      const rows = micros.flat();
      return {
        ...(patched && trainsTable ? withPlaces(batches) : { batches, touched: null }),
        weight: total(rows.map(({ weights }) => total(weights))),
        bytes: total(rows.map(({ byteCount }) => byteCount)),
        packer: open!.state(),
        patches: room,
      };
    },
    async close() {
      await open?.close();
    },
  };
}
