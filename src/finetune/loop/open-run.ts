/** @module Everything that a training run consists of, opened and connected: parameters, patcher, teacher, batches, step, log, checkpoints. */
import { join } from 'node:path';
import { bltTensors } from '../../blt/index.js';
import { fitsPacker, PACKER_START, type PackerOptions } from '../../data/index.js';
import type { RunMode } from '../../engine/index.js';
import { ByteifyError } from '../../errors.js';
import { makeFolder } from '../../fs/index.js';
import { createPatcherRunner } from '../../model/index.js';
import type { SourceSettings } from '../batches/batch-preparer.js';
import { type BatchSource, createBatchSource } from '../batches/batch-source.js';
import { NO_CAPACITY } from '../batches/capacity.js';
import { createSourceStates, type SourceStates } from '../teacher/source-states.js';
import { checkpointName, checkpointSteps, readTrainerState, saveCheckpoint } from './checkpoint.js';
import { chooseMode } from './choose-step-mode.js';
import { type MetricsLog, openMetrics } from './metrics-log.js';
import type { TrainingSource, TrainOptions } from './train-options.js';
import { createTrainStep, type TrainStep } from './train-step.js';
import { type SavedState, type TrainerState, withoutCheckpoint } from './trainer-state.js';
import { openTrainingState, type TrainingState } from './training-state.js';

export interface TrainingRun {
  /** Where the run stands: at its beginning, or at its newest checkpoint. */
  readonly state: TrainerState;
  readonly parameters: TrainingState;
  readonly batches: BatchSource;
  readonly stepper: TrainStep;
  readonly log: MetricsLog;
  save(state: TrainerState): Promise<void>;
  /** Releases everything, the parameters included. */
  close(): Promise<void>;
}

/**
 * Opens a run, or resumes the one in its folder. The engine must be started.
 * @throws ByteifyError when the run there has other settings, or a checkpoint that does not fit the text.
 */
export async function openRun(options: TrainOptions): Promise<TrainingRun> {
  const { objective, config, start, plan, run, root, source: teacher = null } = options;
  await makeFolder(run);
  const saved = await savedState(options);
  const mode = await runMode(options, saved);
  const all = bltTensors(config);
  const specs = all.filter(objective.reads);
  const parameters = await openTrainingState({
    ...{ objective, start, seed: options.seed },
    ...{ learningRateScale: plan.learningRateScale, muonScale: plan.muonScale, moments: plan.moments },
    specs: [...specs, ...(objective.extra ?? [])],
    from: saved === null ? null : { run, step: saved.step },
    ...(teacher !== null && { beside: teacher.tensors }),
  });
  const state: TrainerState = { ...(saved ?? freshState(options)), mode };
  const { table, fixed } = parameters;
  const patcher = createPatcherRunner(config, fixed, mode);
  const states = openStates(options, parameters, mode);
  const batches = createBatchSource({
    rows: { kind: 'packed', files: options.data.files, state: state.packer, ...packing(options) },
    ...{ config, patched: objective.patched, weights: objective.weights, labels: objective.labels ?? null },
    source: teacher === null ? null : { ...withoutTensors(teacher), targets: objective.targets },
    ...{ rowsPerStep: plan.rowsPerStep, microBatchRows: plan.microBatchRows, capacity: state.room },
    trainsTable: table !== null,
    runPatcher: patcher.run,
    ...(states !== null && { states: states.add }),
  });
  const { clipNorm, precision, gradientCheckpointing } = plan;
  const how = { mode, precision, gradientCheckpointing };
  const stepper = createTrainStep({
    ...{ objective, table, fixed, adamw: plan, clipNorm, ...how },
    parameters: parameters.dense,
  });
  const log = await openMetrics(run, state.step);
  // A checkpoint of a BLT stands for a whole one, whatever its stage reads.
  const written = objective.patched ? all : specs;
  return {
    ...{ state, parameters, batches, stepper, log },
    save: (now) =>
      saveCheckpoint({
        ...parameters,
        run,
        root,
        config,
        specs: written,
        start,
        keep: plan.keepCheckpoints,
        state: now,
      }),
    async close() {
      await batches.close();
      await states?.close();
      await log.close();
      stepper.dispose();
      patcher.dispose();
      parameters.dispose();
    },
  };
}

const freshState = ({ flopsBefore = 0, settings }: TrainOptions): Omit<TrainerState, 'mode'> => ({
  step: 0,
  packer: PACKER_START,
  room: NO_CAPACITY,
  flops: flopsBefore,
  settings,
  metrics: {},
});

/** The state of the newest checkpoint, null where there is none. */
async function savedState(options: TrainOptions): Promise<SavedState | null> {
  const { run, settings } = options;
  const last = (await checkpointSteps(run)).at(-1);
  if (last === undefined) return null;
  const saved = await readTrainerState(run, last);
  if (saved.settings !== settings) {
    throw new ByteifyError(`The run in ${run} was begun with other settings.`, {
      hint: 'Use the recipe and data it was begun with, or --restart-from to begin the stage anew.',
      exitCode: 2,
    });
  }
  checkPacker({ split: options.data, ...packing(options) }, saved, run);
  return saved;
}

/** How the steps of this session run. A resumed run may run them differently than before only where the plan says so. */
async function runMode({ objective, config, plan }: TrainOptions, saved: SavedState | null): Promise<RunMode> {
  const asked = plan.mode === 'auto' ? saved?.mode : plan.mode;
  const { microBatchRows: rows, rowBytes: length, steps } = plan;
  return asked ?? (await chooseMode({ config, whole: objective.patched, rows, length, steps }));
}

const readsStates = ({ objective }: TrainOptions): boolean => objective.targets.includes('states');

/** Whether the steps read the text more than once. */
const readsAgain = ({ plan, data }: TrainOptions): boolean =>
  plan.steps * plan.rowsPerStep * plan.rowBytes > data.byteCount;

/** How text becomes rows. Where the teacher's states are cached, every epoch has the same rows. */
const packing = (options: TrainOptions): Required<Pick<PackerOptions, 'rowBytes' | 'seed' | 'repeat'>> => ({
  rowBytes: options.plan.rowBytes,
  seed: options.seed,
  repeat: readsStates(options) && readsAgain(options),
});

function openStates(options: TrainOptions, { fixed }: TrainingState, mode: RunMode): SourceStates | null {
  if (!readsStates(options)) return null;
  const { config, run, plan } = options;
  const cache = { path: join(run, 'source-states.bin'), maxBytes: plan.sourceStatesCacheBytes };
  return createSourceStates({ config, fixed, mode, cache: readsAgain(options) ? cache : null });
}

/** @throws ByteifyError when a state points to a place that the text does not have. */
function checkPacker(packer: PackerOptions, { step, packer: state }: SavedState, run: string): void {
  if (fitsPacker(packer, state)) return;
  const folder = join(run, checkpointName(step));
  throw new ByteifyError(`${folder} stands at a place that the text does not have.`, {
    hint: withoutCheckpoint(folder),
  });
}

/** The tensors stay in this thread. */
const withoutTensors = ({ folder, ids, alignment }: TrainingSource): Omit<SourceSettings, 'targets'> => ({
  folder,
  ids,
  alignment,
});
