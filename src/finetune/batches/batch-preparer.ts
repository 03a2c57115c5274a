/** @module Prepares the batches of a run: packs rows, cuts them by their entropies, hashes. Runs in any thread. No TensorFlow. */
import { type BltConfig, hashTables } from '../../blt/index.js';
import type { PackedRow, PackerState } from '../../data/index.js';
import { type Alignment, isLateCut } from '../../patching/alignment.js';
import { type PatchedBatch, patchedBatch } from '../../patching/batch.js';
import { type BatchArrays, bltArrays, byteArrays, patcherArrays, tokenEndArrays } from '../../patching/index.js';
import type { PatcherOutput } from '../../patching/patcher-output.js';
import { openSourceReader, type SourceIds, type SourceReader } from '../../patching/source-reader.js';
import { type RowReading, readRows, type SourceTarget, sourceArrays } from '../../patching/target-arrays.js';
import { loadTokenizer, type SourceTokenizer } from '../../tokenizer/index.js';
import { type OpenRows, openRows, type RowSource } from './row-source.js';
import { type TouchedRows, touchedRows } from './sparse-rows.js';

/** The source as plain values. */
export interface SourceSettings {
  /** Holds its tokenizer. */
  readonly folder: string;
  readonly ids: SourceIds;
  readonly alignment: Alignment | null;
  readonly targets: readonly SourceTarget[];
}

/** Room in a row, which all steps share until one needs more. */
export interface Room {
  readonly patches: number;
  /** For the source's tokens; 0 where it is not read. */
  readonly tokens: number;
}

/** Everything one step takes, and where the run stands after it. */
export interface StepBatch {
  readonly batches: readonly BatchArrays[];
  readonly touched: TouchedRows | null;
  /** What the loss is divided by: positions that count, or patches. */
  readonly weight: number;
  /** Bytes that are predicted. */
  readonly bytes: number;
  /** Patches of all rows, and the source's tokens for them; 0 where there are none. */
  readonly patchCount: number;
  readonly tokenCount: number;
  /** Of each micro-batch: the numbers of its rows in their epoch, -1 for padding, and how many tokens the source has for each. */
  readonly rows: readonly { readonly numbers: readonly number[]; readonly tokens: readonly number[] }[];
  /** The share of the rows whose source states were computed for this batch, not read from where they are kept. */
  readonly computedShare: number;
  readonly packer: PackerState;
  readonly room: Room;
}

/** Plain values: they travel to another thread. */
export interface PreparerSettings {
  readonly rows: RowSource;
  readonly config: BltConfig;
  /** Whether rows are cut into patches: a BLT's are, a byte language model's are not. */
  readonly patched: boolean;
  /** What the source is asked; null where nothing is. */
  readonly source: SourceSettings | null;
  /** Whether the hash table is trained, so that the rows a step touches matter. */
  readonly trainsTable: boolean;
  readonly rowsPerStep: number;
  readonly microBatchRows: number;
  /** So far; zeros at a run's beginning. */
  readonly room: Room;
  /** The array that weighs what the loss adds up. */
  readonly weights: 'weights' | 'patchWeight';
  /** The folder of the tokenizer whose token ends a byte language model learns; null or left out where it learns none. */
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
   * @param cuts what the patcher says of each micro-batch. The preparer keeps them: the caller must not use them again.
   */
  batch(cuts: readonly PatcherOutput[]): Promise<StepBatch>;
  /** Releases what it holds, after the call before has settled. */
  close(): Promise<void>;
}

/** A row of padding alone: it fills the last micro-batch. */
function blankRow(length: number): PackedRow {
  const zeros = () => new Int32Array(length);
  return { ids: zeros(), targets: zeros(), weights: new Float32Array(length), chunks: [], byteCount: 0, number: -1 };
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
const roomFor = (needed: number) => Math.ceil((needed * SPARE) / STEP) * STEP;
/** What there is, unless more is needed. */
const grown = (room: number, needed: number) => (needed <= room ? room : roomFor(needed));

const patchesOf = ({ patchLengths }: PatchedBatch) =>
  total(patchLengths.flat().map((lengths) => lengths.filter((length) => length > 0).length));

/** A preparer in this thread. What it reads is opened by the first `pack`. */
export function createPreparer(settings: PreparerSettings): Preparer {
  const { config, patched, source, trainsTable, rowsPerStep, microBatchRows, labels = null } = settings;
  const spareRow = config.hash.vocab * hashTables(config.hash);
  let open: OpenRows | null = null;
  let reader: SourceReader | null = null;
  let tokenizer: SourceTokenizer | null = null;
  let room = settings.room;
  let micros: PackedRow[][] = [];

  /** Micro-batches cut into patches, in rows that have room for the longest. */
  function cut(cuts: readonly PatcherOutput[]): PatchedBatch[] {
    const inRoom = () => micros.map((rows, i) => patchedBatch(rows, cuts[i]!.entropies, config, room.patches));
    const batches = inRoom();
    const patches = grown(room.patches, Math.max(...batches.map(({ patches }) => patches)));
    if (patches === room.patches) return batches;
    room = { ...room, patches };
    return inRoom();
  }

  /** The source's reading of each micro-batch. */
  function read(batches: readonly PatchedBatch[], cuts: readonly PatcherOutput[]): RowReading[][] {
    if (source === null) return micros.map(() => []);
    const readings = micros.map((rows, i) => {
      const probabilities = cuts[i]!.endProbabilities;
      const late = (at: number) => isLateCut(source.alignment, probabilities?.[at] ?? 1);
      return readRows(rows, batches[i]!, reader!, late);
    });
    const needed = Math.max(...readings.flat().map(({ tokenCount }) => tokenCount));
    room = { ...room, tokens: grown(room.tokens, needed) };
    return readings;
  }

  const targetsOf = (readings: readonly RowReading[], length: number): BatchArrays =>
    source === null ? {} : sourceArrays(source.targets, readings, { ...room, length }, reader!);

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
      if (source !== null) reader ??= await openSourceReader(source.folder, source.ids);
      micros = microBatches(await open.next(rowsPerStep), microBatchRows);
      return patched ? micros.map(patcherArrays) : [];
    },
    async batch(cuts) {
      const cutBatches = patched ? cut(cuts) : [];
      const readings = read(cutBatches, cuts);
      const batches = micros.map((rows, i) =>
        patched
          ? { ...bltArrays(rows, cutBatches[i]!), ...targetsOf(readings[i]!, cutBatches[i]!.length) }
          : learned(rows),
      );
      return {
        ...(patched && trainsTable ? withPlaces(batches) : { batches, touched: null }),
        weight: total(batches.map((arrays) => total(arrays[settings.weights]!.values))),
        bytes: total(micros.flat().map(({ byteCount }) => byteCount)),
        patchCount: total(cutBatches.map(patchesOf)),
        tokenCount: total(readings.flat().map(({ tokenCount }) => tokenCount)),
        rows: micros.map((rows, i) => ({
          numbers: rows.map(({ number }) => number),
          tokens: readings[i]!.map(({ tokenCount }) => tokenCount),
        })),
        computedShare: 0,
        packer: open!.state(),
        room,
      };
    },
    async close() {
      await open?.close();
    },
  };
}
