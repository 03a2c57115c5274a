/** @module The training loop: one for the patcher and for the BLT, steered by an objective. */
import { mkdir } from 'node:fs/promises';
import { type BltConfig, bltTensors, type TensorSpec } from '../blt/index.js';
import { createPacker, type PackedRow, type Split } from '../data/index.js';
import { ByteifyError } from '../errors.js';
import { disposeParams, loadParams, type Params } from '../model/index.js';
import type { TensorReader } from '../safetensors/index.js';
import { type AdamWOptions, createSlot, type Slot, updateSlot } from './adamw.js';
import { checkpointSteps, groupOf, readTrainerState, restoreSlots, saveCheckpoint } from './checkpoint.js';
import { accumulate, clip, globalNorm, type Loss } from './gradients.js';
import { openMetrics } from './metrics-log.js';
import type { Objective } from './objective.js';

/** The settings of a stage, in the loop's terms. */
export interface TrainingPlan extends AdamWOptions {
  readonly steps: number;
  readonly rowBytes: number;
  readonly rowsPerStep: number;
  /** Rows whose activations are in memory at once. */
  readonly microBatchRows: number;
  readonly learningRateAt: (step: number) => number;
  readonly learningRateScale: Readonly<Record<string, number>>;
  readonly clipNorm: number;
  readonly validateEvery: number;
  readonly checkpointEvery: number;
  readonly keepCheckpoints: number;
}

export interface StepReport {
  /** Counts from 1. */
  readonly step: number;
  readonly steps: number;
  readonly bitsPerByte: number;
  readonly bytesPerSecond: number;
}

export interface TrainOptions {
  readonly objective: Objective;
  readonly config: BltConfig;
  /** The model as it was before step 1. */
  readonly start: TensorReader;
  readonly plan: TrainingPlan;
  readonly data: Split;
  /** Checkpoints, metrics.jsonl and tfevents lie here. A run that lies here already goes on. */
  readonly run: string;
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

function microBatches(rows: readonly PackedRow[], size: number): PackedRow[][] {
  return Array.from({ length: Math.ceil(rows.length / size) }, (_, i) => rows.slice(i * size, (i + 1) * size));
}

function totalWeight(rows: readonly PackedRow[]): number {
  return rows.reduce((sum, { weights }) => sum + weights.reduce((a, b) => a + b, 0), 0);
}

function together(slots: readonly Slot[], fixed: Params): Params {
  return new Map([...fixed, ...slots.map(({ name, value }): [string, Slot['value']] => [name, value])]);
}

async function createSlots(options: TrainOptions, specs: readonly TensorSpec[]): Promise<Slot[]> {
  const trained = specs.filter(options.objective.trains);
  const values = await loadParams(
    options.start,
    trained.map(({ name }) => name),
  );
  return trained.map((spec) =>
    createSlot(spec.name, values.get(spec.name)!, groupOf(spec, options.plan.learningRateScale)),
  );
}

/**
 * Trains to the last step, or to where the signal stops it: then it saves a checkpoint and throws the signal's reason.
 * @throws ByteifyError when the loss is no longer finite (the last checkpoint stays), or when the run there has other settings.
 */
export async function train(options: TrainOptions): Promise<TrainResult> {
  const { objective, config, start, plan, run, seed, settings, signal } = options;
  await mkdir(run, { recursive: true });
  const specs = bltTensors(config).filter(objective.reads);
  const slots = await createSlots(options, specs);
  const fixed = await loadParams(
    start,
    specs.filter((spec) => !objective.trains(spec)).map(({ name }) => name),
  );
  let step = 0;
  let metrics: Readonly<Record<string, number>> = {};
  const last = (await checkpointSteps(run)).at(-1);
  const saved = last === undefined ? null : await readTrainerState(run, last);
  if (saved !== null) {
    if (saved.settings !== settings) {
      throw new ByteifyError(`The run in ${run} was begun with other settings.`, {
        hint: 'Use the recipe and data it was begun with, or --restart-from to begin the stage anew.',
        exitCode: 2,
      });
    }
    step = saved.step;
    await restoreSlots(run, step, slots);
  }
  const packer = createPacker({
    split: options.data,
    rowBytes: plan.rowBytes,
    seed,
    ...(saved && { state: saved.packer }),
  });
  const log = await openMetrics(run, step);
  const save = () =>
    saveCheckpoint({
      run,
      config,
      specs,
      slots,
      start,
      keep: plan.keepCheckpoints,
      state: { step, packer: packer.state(), settings },
    });
  const validate = async () => {
    if (options.validate === undefined) return;
    metrics = await options.validate(together(slots, fixed));
    await log.write(step, metrics);
  };

  try {
    if (step === 0) await validate();
    while (step < plan.steps) {
      const begun = performance.now();
      const rows = await packer.next(plan.rowsPerStep);
      const weight = totalWeight(rows);
      const losses = lazily(microBatches(rows, plan.microBatchRows), (micro) => objective.loss(micro, fixed, weight));
      const { loss, gradients } = await accumulate(slots, losses);
      const norm = globalNorm(gradients);
      if (!Number.isFinite(loss) || !Number.isFinite(norm)) throw divergence(step + 1, run);
      step++;
      const learningRate = plan.learningRateAt(step);
      const clipped = clip(gradients, norm, plan.clipNorm);
      slots.forEach((slot, i) => {
        updateSlot(slot, clipped[i]!, step, learningRate, plan);
        clipped[i]!.dispose();
      });
      const seconds = (performance.now() - begun) / 1000;
      const bytes = rows.reduce((sum, { byteCount }) => sum + byteCount, 0);
      const report = { step, steps: plan.steps, bitsPerByte: loss / Math.LN2, bytesPerSecond: bytes / seconds };
      await log.write(step, {
        train_bits_per_byte: report.bitsPerByte,
        learning_rate: learningRate,
        gradient_norm: norm,
        bytes,
        bytes_per_second: report.bytesPerSecond,
      });
      options.onStep?.(report);
      if (step % plan.validateEvery === 0 || step === plan.steps) await validate();
      if (signal.aborted) {
        await save();
        throw signal.reason;
      }
      if (step % plan.checkpointEvery === 0 || step === plan.steps) await save();
    }
    if (Object.keys(metrics).length === 0) await validate();
    return { params: together(slots, fixed), metrics };
  } catch (error) {
    for (const slot of slots) slot.value.dispose();
    disposeParams(fixed);
    throw error;
  } finally {
    await log.close();
    for (const { first, second } of slots) {
      first.dispose();
      second.dispose();
    }
  }
}

/** Makes each loss only when its turn comes: making it runs the patcher. */
function* lazily(batches: readonly PackedRow[][], make: (rows: readonly PackedRow[]) => Loss): Generator<Loss> {
  for (const rows of batches) yield make(rows);
}

function divergence(step: number, run: string): ByteifyError {
  return new ByteifyError(`The loss is not a finite number at step ${step}; the run in ${run} stopped there.`, {
    hint: 'Lower the learning rate or clip_norm; the last checkpoint is kept.',
  });
}
