/** @module Opens and connects everything a training run consists of: parameters, patcher, teacher, batches, step, metrics and checkpoints. */
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
import { type Company, companyOf } from './company.js';
import type { GradientSum } from './gradient-sum.js';
import { type MetricsLog, openMetrics, SILENT_LOG } from './metrics-log.js';
import type { TrainingSource, TrainOptions } from './train-options.js';
import { createTrainStep, type TrainStep } from './train-step.js';
import { damagedCheckpointHint, type SavedState, type TrainerState } from './trainer-state.js';
import { openTrainingState, type TrainingState } from './training-state.js';

export interface TrainingRun {
  /** The state of the newest checkpoint, or the initial one. */
  readonly state: TrainerState;
  readonly parameters: TrainingState;
  readonly batches: BatchSource;
  readonly stepper: TrainStep;
  readonly log: MetricsLog;
  readonly company: Company;
  /** Null if this process trains alone. */
  readonly gradientSum: GradientSum | null;
  /** Does nothing on a process that does not lead. */
  save(state: TrainerState): Promise<void>;
  /** Releases everything, including the parameters. */
  close(): Promise<void>;
}

/**
 * Opens a run, or resumes the one in its folder. The engine must be started.
 * @throws ByteifyError when the existing run has other settings, or its checkpoint is damaged or does not fit the text.
 */
export async function openRun(options: TrainOptions): Promise<TrainingRun> {
  const { objective, config, start, plan, run, root, source: teacher = null } = options;
  const company = companyOf(options.group ?? null, run);
  const { leads } = company;
  if (leads) await makeFolder(run);
  const last = await company.agreed(async () => (await checkpointSteps(run)).at(-1) ?? null);
  const saved = last === null ? null : await savedState(options, last);
  const mode = await company.agreed(() => runMode(options, saved));
  const all = bltTensors(config);
  const specs = all.filter(objective.reads);
  const parameters = await openTrainingState({
    ...{ objective, start, seed: options.seed },
    ...{ learningRateScale: plan.learningRateScale, muonScale: plan.muonScale, moments: plan.moments },
    specs: [...specs, ...(objective.extraTensors ?? [])],
    from: saved === null ? null : { run, step: saved.step },
    ...(teacher !== null && { sourceTensors: teacher.tensors }),
  });
  const state: TrainerState = { ...(saved ?? freshState(options)), mode };
  const { table, frozen } = parameters;
  const patcher = createPatcherRunner(config, frozen, mode);
  const states = openStates(options, parameters, { mode, company });
  const batches = createBatchSource({
    rows: {
      ...{ kind: 'packed', files: options.data.files, state: state.packer },
      ...(options.tokens !== undefined && { tokens: options.tokens }),
      ...packing(options),
    },
    ...{ config, patched: objective.patched, weights: objective.weights, labels: objective.labels ?? null },
    source: teacher === null ? null : { ...withoutTensors(teacher), targets: objective.targets },
    ...{ rowsPerStep: plan.rowsPerStep, microBatchRows: plan.microBatchRows, capacity: state.room },
    share: company.share,
    ...(company.exchange !== null && { exchange: company.exchange }),
    trainsTable: table !== null,
    ngramDropout: plan.ngramDropout > 0 ? { share: plan.ngramDropout, key: `${options.seed}` } : null,
    runPatcher: patcher.run,
    ...(states !== null && { states: states.add }),
  });
  const { clipNorm, precision, gradientCheckpointing } = plan;
  const how = { mode, precision, gradientCheckpointing };
  const gradientSum = company.gradientSum(parameters.dense.map(({ value }) => value.shape));
  const stepper = createTrainStep({
    ...{ objective, table, frozen, adamw: plan, clipNorm, ...how },
    parameters: parameters.dense,
    ...(gradientSum !== null && { overProcesses: gradientSum }),
  });
  const log = leads ? await openMetrics(run, state.step) : SILENT_LOG;
  // A BLT checkpoint lists all tensors of the model, even those that the stage does not read.
  const written = objective.patched ? all : specs;
  return {
    ...{ state, parameters, batches, stepper, log, company, gradientSum },
    async save(now) {
      if (!leads) return;
      const keep = plan.keepCheckpoints;
      await saveCheckpoint({ ...parameters, ...{ run, root, config, specs: written, start, keep, state: now } });
    },
    async close() {
      company.close();
      await batches.close();
      await states?.close();
      await log.close();
      stepper.dispose();
      patcher.dispose();
      parameters.dispose();
      for (const variable of teacher?.layers.values() ?? []) variable.dispose();
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

/** The state of a checkpoint. */
async function savedState(options: TrainOptions, step: number): Promise<SavedState> {
  const { run, settings } = options;
  const saved = await readTrainerState(run, step);
  if (saved.settings !== settings) {
    throw new ByteifyError(`The run in ${run} was started with different settings.`, {
      hint: 'Use the recipe and data it was started with, or restart the stage with --restart-from.',
      exitCode: 2,
    });
  }
  checkPacker({ split: options.data, ...packing(options) }, saved, run);
  return saved;
}

/** The mode of this session's steps. A resumed run changes its mode only if the recipe names another one. */
async function runMode({ objective, config, plan, tokens }: TrainOptions, saved: SavedState | null): Promise<RunMode> {
  const wanted = plan.mode === 'auto' ? saved?.mode : plan.mode;
  const { microBatchRows: rows, rowBytes: length, steps } = plan;
  // The blocks of a token model are those of the latent global transformer.
  const wholeModel = objective.patched || tokens !== undefined;
  return wanted ?? (await chooseMode({ config, wholeModel, rows, length, steps }));
}

const readsStates = ({ objective }: TrainOptions): boolean => objective.targets.includes('states');

/** Whether the steps read the text more than once. */
const readsTextRepeatedly = ({ plan, data }: TrainOptions): boolean =>
  plan.steps * plan.rowsPerStep * plan.rowBytes > data.byteCount;

/** Whether every epoch has the same rows, so that the teacher's states can be cached. Domains with weights are read in parts, other ones in each epoch. */
const repeatsRows = (options: TrainOptions): boolean =>
  readsStates(options) && readsTextRepeatedly(options) && options.data.domains.every(({ weight }) => weight === null);

/** How text is packed into rows. */
const packing = (options: TrainOptions): Required<Omit<PackerOptions, 'split' | 'state' | 'alphabet'>> => ({
  domains: options.data.domains,
  rowBytes: options.plan.rowBytes,
  seed: options.seed,
  repeat: repeatsRows(options),
});

function openStates(
  options: TrainOptions,
  parameters: TrainingState,
  { mode, company }: { readonly mode: RunMode; readonly company: Company },
): SourceStates | null {
  if (!readsStates(options)) return null;
  const { config, run, plan, source } = options;
  const frozen = new Map([...parameters.frozen, ...source!.layers]);
  // Each process caches the states of its own rows.
  const rank = company.leads ? '' : `-${company.share.rank}`;
  const cache = { path: join(run, `source-states${rank}.bin`), maxBytes: plan.sourceStatesCacheBytes };
  const { precision } = plan;
  return createSourceStates({ config, frozen, mode, precision, cache: repeatsRows(options) ? cache : null });
}

/** @throws ByteifyError when the packer's saved position is not in the text. */
function checkPacker(packer: PackerOptions, { step, packer: state }: SavedState, run: string): void {
  if (fitsPacker(packer, state)) return;
  const folder = join(run, checkpointName(step));
  throw new ByteifyError(`${folder} refers to a position that is not in the training text.`, {
    hint: damagedCheckpointHint(folder),
  });
}

/** The source's settings for the batch thread. Tensors cannot be sent to it. */
const withoutTensors = ({ folder, ids, alignment }: TrainingSource): Omit<SourceSettings, 'targets'> => ({
  folder,
  ids,
  alignment,
});
