/** @module The batches of a run, made ahead of the step that takes them: packed, cut into patches, hashed. */
import { type BltConfig, hashTables } from '../blt/index.js';
import type { PackedRow, Packer, PackerState } from '../data/index.js';
import type { BatchArrays } from './batch-arrays.js';
import type { Objective } from './objective.js';
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

export interface BatchSourceOptions {
  readonly packer: Packer;
  readonly objective: Objective;
  readonly config: BltConfig;
  readonly rowsPerStep: number;
  readonly microBatchRows: number;
  /** Whether the hash table is trained, so that the rows a step touches matter. */
  readonly trainsTable: boolean;
  /** Entropies of a micro-batch, nats [rows, length]. */
  readonly entropies: (rows: readonly PackedRow[]) => Promise<Float32Array>;
  /** Room for patches in a row so far; 0 at a run's beginning. */
  readonly patches: number;
}

export interface BatchSource {
  /** The next step's batch; making the one after it begins at once. */
  next(): Promise<StepBatch>;
  /** Waits for what is being made ahead, so that what it reads may be released. */
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
const SPARE = 1.06;
const STEP = 8;
const roomFor = (patches: number) => Math.ceil((patches * SPARE) / STEP) * STEP;

const patchesOf = ({ patchDocuments }: BatchArrays) => patchDocuments?.shape[1] ?? 0;

/** Batches in the packer's order. */
export function createBatchSource(options: BatchSourceOptions): BatchSource {
  const { packer, objective, config, rowsPerStep, microBatchRows, trainsTable, entropies } = options;
  let room = options.patches;
  let ahead: Promise<StepBatch> | null = null;

  async function make(): Promise<StepBatch> {
    const rows = await packer.next(rowsPerStep);
    const state = packer.state();
    const micros = microBatches(rows, microBatchRows);
    const cuts: (Float32Array | null)[] = [];
    for (const micro of micros) cuts.push(objective.patched ? await entropies(micro) : null);
    const arrays = () =>
      micros.map((micro, i) => {
        const cut = cuts[i] ?? null;
        return objective.arrays(micro, cut && { entropies: cut, patches: room });
      });
    let batches = arrays();
    const needed = Math.max(...batches.map(patchesOf));
    if (needed > room) {
      room = roomFor(needed);
      batches = arrays();
    }
    const spare = config.hash.vocab * hashTables(config.hash);
    const touched =
      objective.patched && trainsTable
        ? touchedRows(
            batches.map(({ hashRows }) => hashRows!.values as Int32Array),
            spare,
          )
        : null;
    return {
      batches: batches.map((batch, i) =>
        touched === null ? batch : { ...batch, hashRows: { ...batch.hashRows!, values: touched.places[i]! } },
      ),
      touched,
      weight: total(rows.map(({ weights }) => total(weights))),
      bytes: total(rows.map(({ byteCount }) => byteCount)),
      packer: state,
      patches: room,
    };
  }

  function begin(): Promise<StepBatch> {
    const made = make();
    // Whoever awaits it hears of a failure; nobody may, when a run is stopped.
    made.catch(() => {});
    return made;
  }

  return {
    async next() {
      const current = await (ahead ?? begin());
      ahead = begin();
      return current;
    },
    async close() {
      await ahead?.catch(() => {});
    },
  };
}
