/** @module Times training steps of a BLT folder on made-up bytes: the same code path as finetune, nothing written. */
import { type BltConfig, BOS, BYTE_OFFSET, bltTensors, readBltConfig } from '../../blt/index.js';
import type { PackedRow } from '../../data/index.js';
import type { Precision, RunMode } from '../../engine/index.js';
import { createPatcherRunner } from '../../model/index.js';
import { openCheckpoint } from '../../safetensors/index.js';
import { createBatchSource } from '../batches/batch-source.js';
import { NO_CAPACITY } from '../batches/capacity.js';
import type { Moments } from '../optimizers/adamw.js';
import { endToEndObjective } from '../stages/end-to-end.js';
import { createTrainStep } from './train-step.js';
import { openTrainingState } from './training-state.js';

export interface BenchOptions {
  readonly rows: number;
  readonly rowBytes: number;
  readonly steps: number;
  readonly mode: RunMode;
  readonly precision?: Precision;
  readonly gradientCheckpointing?: boolean;
  readonly moments?: Moments;
  /** Patches of this many bytes, without running the patcher; null cuts as the model does. */
  readonly bytesPerPatch: number | null;
  readonly signal: AbortSignal;
  readonly onStep?: (done: number) => void;
}

export interface BenchResult {
  /** Of each timed step; a first one, not in the list, warms up. */
  readonly stepMs: number[];
  readonly bytesPerSecond: number;
  readonly peakRssBytes: number;
  /** Nats, of the last step. */
  readonly loss: number;
}

const ADAMW = { betas: [0.9, 0.95], epsilon: 1e-8, weightDecay: 0.1 } as const;
const LEARNING_RATE = 1e-5;

/** Words of letters, so that the hash tables and patches see something like text. Deterministic. */
function madeUpRow(rowBytes: number, seed: number): PackedRow {
  const ids = new Int32Array(rowBytes);
  let state = seed + 1;
  const next = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  ids[0] = BOS;
  for (let i = 1; i < rowBytes; i++) ids[i] = BYTE_OFFSET + (next(6) === 0 ? 32 : 97 + next(26));
  const targets = new Int32Array(rowBytes);
  targets.set(ids.subarray(1));
  const weights = new Float32Array(rowBytes).fill(1);
  weights[rowBytes - 1] = 0;
  return { ids, targets, weights, documents: [{ start: 0, end: rowBytes }], byteCount: rowBytes - 1, number: seed };
}

/** Steps until the made-up rows come again. */
const DISTINCT_STEPS = 16;

const madeUpRows = (count: number, rowBytes: number) => Array.from({ length: count }, (_, i) => madeUpRow(rowBytes, i));

/** Stands for the patcher: it cuts BOS off, and then a patch every `bytesPerPatch`. */
function evenPatcher(rows: number, length: number, bytesPerPatch: number, { patching }: BltConfig) {
  const high = Math.max(0, patching.threshold) * 2 + 1;
  const values = Float32Array.from({ length: rows * length }, (_, i) =>
    (i % length) % bytesPerPatch === 0 ? high : 0,
  );
  return async () => ({ entropies: values.slice(), endProbabilities: null });
}

/** Steps one at a time, for whoever measures several things in turn. */
export interface SteppedBench {
  /** One step: milliseconds, bytes and loss in nats. */
  step(): Promise<{ readonly ms: number; readonly bytes: number; readonly loss: number }>;
  close(): Promise<void>;
}

/** @param folder a BLT checkpoint folder. The engine must be started. */
export async function openBench(
  folder: string,
  options: Pick<
    BenchOptions,
    'rows' | 'rowBytes' | 'mode' | 'bytesPerPatch' | 'precision' | 'gradientCheckpointing' | 'moments'
  > & {
    readonly given?: readonly PackedRow[];
  },
): Promise<SteppedBench> {
  const { rows, rowBytes: length, mode, bytesPerPatch, precision = 'float32', gradientCheckpointing = false } = options;
  const config = await readBltConfig(folder);
  const objective = endToEndObjective(config, []);
  const start = await openCheckpoint(folder);
  const plan = {
    objective,
    specs: bltTensors(config),
    learningRateScale: {},
    muonScale: null,
    seed: 1,
    moments: options.moments ?? 'float32',
  };
  const trainingState = await openTrainingState({ ...plan, start, from: null }).finally(() => start.close());
  const { dense: parameters, table, fixed } = trainingState;
  const patcher = createPatcherRunner(config, fixed, mode);
  const source = createBatchSource({
    rows: { kind: 'given', rows: options.given ?? madeUpRows(DISTINCT_STEPS * rows, length) },
    config,
    patched: objective.patched,
    source: null,
    weights: objective.weights,
    rowsPerStep: rows,
    microBatchRows: rows,
    trainsTable: true,
    runPatcher: bytesPerPatch === null ? patcher.run : evenPatcher(rows, length, bytesPerPatch, config),
    capacity: NO_CAPACITY,
  });
  const how = { mode, precision, gradientCheckpointing };
  const stepper = createTrainStep({ objective, parameters, table, fixed, adamw: ADAMW, clipNorm: 1, ...how });
  let steps = 0;
  return {
    async step() {
      const begun = performance.now();
      const batch = await source.next();
      const { loss } = await stepper.run({ ...batch, step: ++steps, learningRate: LEARNING_RATE });
      return { ms: performance.now() - begun, bytes: batch.bytes, loss };
    },
    async close() {
      await source.close();
      stepper.dispose();
      patcher.dispose();
      trainingState.dispose();
    },
  };
}

/** Times training steps after one that is not timed. The engine must be started. */
export async function benchTrainStep(folder: string, options: BenchOptions): Promise<BenchResult> {
  const { steps, signal, onStep } = options;
  const bench = await openBench(folder, options);
  const taken: { readonly ms: number; readonly bytes: number; readonly loss: number }[] = [];
  try {
    await bench.step();
    while (taken.length < steps) {
      signal.throwIfAborted();
      taken.push(await bench.step());
      onStep?.(taken.length);
    }
  } finally {
    await bench.close();
  }
  const sum = (of: (step: (typeof taken)[number]) => number) => taken.reduce((total, step) => total + of(step), 0);
  return {
    stepMs: taken.map(({ ms }) => ms),
    bytesPerSecond: sum(({ bytes }) => bytes) / (sum(({ ms }) => ms) / 1000),
    peakRssBytes: process.resourceUsage().maxRSS * 1024,
    loss: taken.at(-1)!.loss,
  };
}
