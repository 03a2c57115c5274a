/** @module The training loop: one for the patcher and for the BLT, steered by an objective. */
import { join } from 'node:path';
import { type BltConfig, bltTensors } from '../blt/index.js';
import { makeFolder } from '../conversion/index.js';
import { fitsPacker, PACKER_START, type PackerOptions, type StoredSplit } from '../data/index.js';
import type { Precision, Variable } from '../engine/index.js';
import { ByteifyError } from '../errors.js';
import { disposeParams, type Params } from '../model/index.js';
import type { TensorReader } from '../safetensors/index.js';
import type { AdamWOptions, Moments } from './adamw.js';
import type { SourceSettings, StepBatch } from './batch-preparer.js';
import { createBatchSource } from './batch-source.js';
import { checkpointName, checkpointSteps, type GroupRates, readTrainerState, saveCheckpoint } from './checkpoint.js';
import { chooseMode } from './choose-mode.js';
import { createEntropies } from './entropies.js';
import { openMetrics } from './metrics-log.js';
import { CROSS_ENTROPY, type Objective } from './objective.js';
import { createSourceStates } from './source-states.js';
import { createTrainStep, type StepMode } from './train-step.js';
import { openTrainee } from './trainee.js';
import { type SavedState, type TrainerState, withoutCheckpoint } from './trainer-state.js';
import { createWaitMeter } from './wait-meter.js';

/** The settings of a stage, in the loop's terms. */
export interface TrainingPlan extends AdamWOptions, GroupRates {
  readonly steps: number;
  readonly rowBytes: number;
  readonly rowsPerStep: number;
  /** Rows whose activations are in memory at once. */
  readonly microBatchRows: number;
  readonly learningRateAt: (step: number) => number;
  readonly clipNorm: number;
  readonly validateEvery: number;
  readonly checkpointEvery: number;
  readonly keepCheckpoints: number;
  /** How moments are held. */
  readonly moments: Moments;
  /** `auto` measures what is faster. */
  readonly mode: StepMode | 'auto';
  /** Of matrix products. */
  readonly precision: Precision;
  /** Keep only each layer's input for the backward pass. */
  readonly rematerialise: boolean;
  /** Disk that the source's states may take. */
  readonly sourceStatesCacheBytes: number;
}

/** The source of a distillation. */
export interface TrainingSource extends Omit<SourceSettings, 'targets'> {
  /** Its tensors beside the model's own; the loop disposes them. */
  readonly tensors: ReadonlyMap<string, Variable>;
}

export interface StepReport {
  /** Counts from 1. */
  readonly step: number;
  readonly steps: number;
  /** As metrics.jsonl has them; the first is what the run is watched by. */
  readonly losses: Readonly<Record<string, number>>;
  readonly bytesPerSecond: number;
}

export interface TrainOptions {
  readonly objective: Objective;
  readonly config: BltConfig;
  /** The model as it was before step 1. */
  readonly start: TensorReader;
  readonly plan: TrainingPlan;
  readonly data: StoredSplit;
  /** What the objective's targets come from; null where it has none. */
  readonly source?: TrainingSource | null;
  /** Floating-point operations before this run. */
  readonly flopsBefore?: number;
  /** Floating-point operations of a step. */
  readonly flopsOf: (batch: StepBatch) => number;
  /** Checkpoints, metrics.jsonl and tfevents lie here. A run that lies here already goes on. */
  readonly run: string;
  /** What lies in this folder is not copied into checkpoints: the conversion's, of which the run is a part. */
  readonly root: string;
  readonly seed: number;
  /** A digest of what must not change between sittings. */
  readonly settings: string;
  readonly signal: AbortSignal;
  readonly onStep?: (report: StepReport) => void;
  /** Measures the model on held-out text; the names carry units. */
  readonly validate?: (params: Params) => Promise<Readonly<Record<string, number>>>;
}

/** The trained parameters with those that were only read; the caller disposes both. */
export interface TrainResult {
  readonly params: Params;
  readonly metrics: Readonly<Record<string, number>>;
}

/**
 * Trains to the last step, or to where the signal stops it: then it saves a checkpoint and throws the signal's reason.
 * @throws ByteifyError when the loss is no longer finite (the last checkpoint stays), or when the run there has other settings.
 */
export async function train(options: TrainOptions): Promise<TrainResult> {
  const { objective, config, start, plan, run, root, seed, settings, signal, source: teacher = null } = options;
  await makeFolder(run);
  const all = bltTensors(config);
  const specs = all.filter(objective.reads);
  // A checkpoint of a BLT stands for a whole one, whatever its stage reads.
  const written = objective.patched ? all : specs;
  const last = (await checkpointSteps(run)).at(-1);
  const saved = last === undefined ? null : await readTrainerState(run, last);
  if (saved !== null && saved.settings !== settings) {
    throw new ByteifyError(`The run in ${run} was begun with other settings.`, {
      hint: 'Use the recipe and data it was begun with, or --restart-from to begin the stage anew.',
      exitCode: 2,
    });
  }
  const { learningRateScale, muonScale, moments, rowBytes: length, microBatchRows: rows, steps } = plan;
  const readsStates = objective.targets.includes('states');
  const readAgain = plan.steps * plan.rowsPerStep * length > options.data.byteCount;
  const repeat = readsStates && readAgain;
  if (saved !== null) checkPacker({ split: options.data, rowBytes: length, seed, repeat }, saved, run);
  const asked = plan.mode === 'auto' ? saved?.mode : plan.mode;
  const mode = asked ?? (await chooseMode({ config, whole: objective.patched, rows, length, steps }));
  const from = saved === null ? null : { run, step: saved.step };
  const trainee = await openTrainee({
    objective,
    specs: [...specs, ...(objective.extra ?? [])],
    learningRateScale,
    muonScale,
    moments,
    seed,
    start,
    from,
    ...(teacher !== null && { beside: teacher.tensors }),
  });
  const fresh = {
    step: 0,
    packer: PACKER_START,
    room: { patches: 0, tokens: 0 },
    flops: options.flopsBefore ?? 0,
    settings,
    metrics: {},
  };
  // The mode of this sitting: it may be another than the one before had.
  let state: TrainerState = { ...(saved ?? fresh), mode };
  const shape = { rows, length };
  const entropies = createEntropies(config, trainee.fixed, shape, mode);
  const states = readsStates
    ? createSourceStates({
        config,
        fixed: trainee.fixed,
        rows,
        mode,
        cache: readAgain ? { path: join(run, 'source-states.bin'), maxBytes: plan.sourceStatesCacheBytes } : null,
      })
    : null;
  const source = createBatchSource({
    rows: {
      kind: 'packed',
      files: options.data.files,
      rowBytes: length,
      seed,
      state: state.packer,
      repeat,
    },
    config,
    patched: objective.patched,
    source: teacher === null ? null : { ...teacherSettings(teacher), targets: objective.targets },
    weights: objective.weights,
    rowsPerStep: plan.rowsPerStep,
    microBatchRows: rows,
    trainsTable: trainee.table !== null,
    entropies: entropies.of,
    ...(states !== null && { states: states.add }),
    room: state.room,
    labels: objective.labels ?? null,
  });
  const { dense: slots, table, fixed } = trainee;
  const { clipNorm, precision, rematerialise } = plan;
  const how = { shape, mode, precision, rematerialise };
  const stepper = createTrainStep({ objective, slots, table, fixed, adamw: plan, clipNorm, ...how });
  const waits = createWaitMeter();
  const log = await openMetrics(run, state.step);
  const save = () =>
    saveCheckpoint({ ...trainee, run, root, config, specs: written, start, keep: plan.keepCheckpoints, state });
  const validate = async () => {
    if (options.validate === undefined) return;
    const params = trainee.params();
    try {
      state = { ...state, metrics: await options.validate(params) };
    } finally {
      disposeParams(params);
    }
    await log.write(state.step, { ...state.metrics, flops: state.flops });
  };

  try {
    if (state.step === 0) await validate();
    while (state.step < plan.steps) {
      const begun = performance.now();
      const batch = await source.next();
      const waited = performance.now() - begun;
      const step = state.step + 1;
      const learningRate = plan.learningRateAt(step);
      const { loss, parts, gradientNorm } = await stepper.run({ ...batch, step, learningRate });
      if (!Number.isFinite(loss) || !Number.isFinite(gradientNorm)) throw divergence(step, run);
      const flops = state.flops + options.flopsOf(batch);
      state = { ...state, step, packer: batch.packer, room: batch.room, flops };
      const { bytes } = batch;
      const elapsed = performance.now() - begun;
      waits.add(waited, elapsed);
      const report = {
        step,
        steps: plan.steps,
        losses: shownLosses(parts),
        bytesPerSecond: bytes / (elapsed / 1000),
      };
      await log.write(step, {
        ...report.losses,
        learning_rate: learningRate,
        gradient_norm: gradientNorm,
        bytes,
        bytes_per_second: report.bytesPerSecond,
        data_wait_fraction: waited / elapsed,
        flops,
      });
      options.onStep?.(report);
      if (step % plan.validateEvery === 0 || step === plan.steps) await validate();
      if (signal.aborted) {
        await save();
        throw signal.reason;
      }
      if (step % plan.checkpointEvery === 0 || step === plan.steps) await save();
    }
    return { params: trainee.params(), metrics: { ...state.metrics, ...waits.metrics(), flops: state.flops } };
  } finally {
    await source.close();
    await states?.close();
    await log.close();
    stepper.dispose();
    entropies.dispose();
    trainee.dispose();
  }
}

/** @throws ByteifyError when a state stands where this text has no place. */
function checkPacker(packer: PackerOptions, { step, packer: state }: SavedState, run: string): void {
  if (fitsPacker(packer, state)) return;
  const folder = join(run, checkpointName(step));
  throw new ByteifyError(`${folder} stands at a place that the text does not have.`, {
    hint: withoutCheckpoint(folder),
  });
}

/** Without the tensors, which stay in this thread. */
function teacherSettings({ folder, ids, alignment }: TrainingSource): Omit<SourceSettings, 'targets'> {
  return { folder, ids, alignment };
}

/** Losses by the names they have in metrics.jsonl: the next byte's in bits, the others as they are. */
function shownLosses(parts: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(parts).map(([name, value]) =>
      name === CROSS_ENTROPY ? ['train_bits_per_byte', value / Math.LN2] : [`train_${name}`, value],
    ),
  );
}

function divergence(step: number, run: string): ByteifyError {
  return new ByteifyError(`The loss is not a finite number at step ${step}; the run in ${run} stopped there.`, {
    hint: 'Lower the learning rate or clip_norm; the last checkpoint is kept.',
  });
}
