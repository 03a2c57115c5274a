/** @module Times training steps of a BLT folder on synthetic text. It runs the same code as finetune and writes nothing. */
import { type BltConfig, BOS, BYTE_OFFSET, bltTensors, type Optimizer, readBltConfig } from '../../blt/index.js';
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
  /** AdamW by default. */
  readonly optimizer?: Optimizer;
  /** Cuts a patch every so many bytes without running the patcher. Null runs the model's own patcher. */
  readonly bytesPerPatch: number | null;
  readonly signal: AbortSignal;
  readonly onStep?: (done: number) => void;
}

export interface BenchResult {
  /** Milliseconds of each timed step. A first step warms up and is not included. */
  readonly stepMs: number[];
  readonly bytesPerSecond: number;
  readonly peakRssBytes: number;
  /** The loss of the last step, nats per byte. */
  readonly loss: number;
}

const ADAMW = { betas: [0.9, 0.95], epsilon: 1e-8, weightDecay: 0.1 } as const;
const LEARNING_RATE = 1e-5;

/** A row of random lower-case words, so that hash tables and patches see something like text. Deterministic. */
function syntheticRow(rowBytes: number, seed: number): PackedRow {
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

/** The number of steps after which the synthetic rows repeat. */
const DISTINCT_STEPS = 16;

const syntheticRows = (count: number, rowBytes: number) =>
  Array.from({ length: count }, (_, i) => syntheticRow(rowBytes, i));

/** Replaces the patcher: the BOS position is a patch of its own, then a patch ends every `bytesPerPatch` bytes. */
function fixedSizePatcher(rows: number, length: number, bytesPerPatch: number, { patching }: BltConfig) {
  const high = Math.max(0, patching.threshold) * 2 + 1;
  const values = Float32Array.from({ length: rows * length }, (_, i) =>
    (i % length) % bytesPerPatch === 0 ? high : 0,
  );
  return async () => ({ entropies: values.slice(), endProbabilities: null });
}

/** A benchmark that is advanced step by step, so that a caller can interleave several of them. */
export interface SteppedBench {
  /** Runs one step and returns its duration in milliseconds, its bytes, and its loss in nats per byte. */
  step(): Promise<{ readonly ms: number; readonly bytes: number; readonly loss: number }>;
  close(): Promise<void>;
}

/** @param folder a BLT checkpoint folder. The engine must be started. */
export async function openBench(
  folder: string,
  options: Pick<
    BenchOptions,
    'rows' | 'rowBytes' | 'mode' | 'bytesPerPatch' | 'precision' | 'gradientCheckpointing' | 'moments' | 'optimizer'
  > & {
    readonly given?: readonly PackedRow[];
  },
): Promise<SteppedBench> {
  const { rows, rowBytes: length, mode, bytesPerPatch, precision = 'float32', gradientCheckpointing = false } = options;
  const config = await readBltConfig(folder);
  const objective = endToEndObjective(config, { frozen: [] });
  const start = await openCheckpoint(folder);
  const plan = {
    objective,
    specs: bltTensors(config).filter(objective.reads),
    learningRateScale: {},
    muonScale: options.optimizer === 'muon' ? 1 : null,
    seed: 1,
    moments: options.moments ?? 'float32',
  };
  const trainingState = await openTrainingState({ ...plan, start, from: null }).finally(() => start.close());
  const { dense: parameters, table, frozen } = trainingState;
  const patcher = createPatcherRunner(config, frozen, mode);
  const source = createBatchSource({
    rows: { kind: 'given', rows: options.given ?? syntheticRows(DISTINCT_STEPS * rows, length) },
    config,
    patched: objective.patched,
    source: null,
    weights: objective.weights,
    rowsPerStep: rows,
    microBatchRows: rows,
    trainsTable: true,
    runPatcher: bytesPerPatch === null ? patcher.run : fixedSizePatcher(rows, length, bytesPerPatch, config),
    capacity: NO_CAPACITY,
  });
  const how = { mode, precision, gradientCheckpointing };
  const stepper = createTrainStep({ objective, parameters, table, frozen, adamw: ADAMW, clipNorm: 1, ...how });
  let steps = 0;
  return {
    async step() {
      const startedAt = performance.now();
      const batch = await source.next();
      const { loss } = await stepper.run({ ...batch, step: ++steps, learningRate: LEARNING_RATE });
      return { ms: performance.now() - startedAt, bytes: batch.bytes, loss };
    },
    async close() {
      await source.close();
      stepper.dispose();
      patcher.dispose();
      trainingState.dispose();
    },
  };
}

/** Times training steps after an untimed warm-up step. The engine must be started. @throws the signal's reason. */
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
