/** @module Translates the settings of a recipe into a plan for the training loop. */
import { UsageError } from '../../errors.js';
import { type Recipe, rowsPerStepOf, type TrainingStage } from '../../recipe/index.js';
import { learningRateAt } from '../optimizers/schedule.js';
import type { TrainingPlan } from './train-options.js';

/** What a step's rows are divided over. */
export interface Workers {
  /** That share each computation of a process. */
  readonly devices: number;
  /** That train together; one if absent. */
  readonly processes?: number;
}

/**
 * Rows in a process's memory at the same time: as many on each device, the last of which may be padding.
 * @throws UsageError when a process would get no row
 */
function microBatchRows(perDevice: number, rowsPerStep: number, { devices, processes = 1 }: Workers): number {
  if (rowsPerStep < processes) {
    throw new UsageError(`A step has ${rowsPerStep} rows, which ${processes} processes cannot share.`, {
      hint: 'Raise batch_bytes to at least sequence_length times the number of processes, or start fewer processes.',
    });
  }
  return devices * Math.min(perDevice, Math.ceil(rowsPerStep / (processes * devices)));
}

/** Muon's learning rate relative to AdamW's, which has the same schedule; null if AdamW trains everything. */
function muonScale(settings: Pick<TrainingStage, 'optimizer' | 'learning_rate' | 'muon_learning_rate'>): number | null {
  return settings.optimizer === 'muon' ? settings.muon_learning_rate / settings.learning_rate : null;
}

/** The plan of a stage. @throws UsageError when there are more processes than rows in a step */
export function stagePlan(stage: TrainingStage, { mode }: Recipe['hardware'], workers: Workers): TrainingPlan {
  const rowsPerStep = rowsPerStepOf(stage);
  return {
    steps: stage.steps,
    rowBytes: stage.sequence_length,
    rowsPerStep,
    microBatchRows: microBatchRows(stage.micro_batch_size, rowsPerStep, workers),
    learningRateAt: (step) => learningRateAt(step, stage),
    learningRateScale: stage.learning_rate_scale,
    muonScale: muonScale(stage),
    betas: stage.betas,
    epsilon: stage.epsilon,
    weightDecay: stage.weight_decay,
    clipNorm: stage.clip_norm,
    ngramDropout: stage.ngram_dropout,
    validateEvery: stage.validate_every,
    checkpointEvery: stage.checkpoint_every,
    keepCheckpoints: stage.keep_checkpoints,
    moments: stage.optimizer_state,
    mode,
    precision: stage.precision,
    gradientCheckpointing: stage.gradient_checkpointing,
    sourceStatesCacheBytes: 'source_states_cache_bytes' in stage ? stage.source_states_cache_bytes : 0,
  };
}

/** The values used for the paper's models (arXiv 2412.09871, section 4.8). */
const PATCHER_ADAMW = { betas: [0.9, 0.95], epsilon: 1e-8 } as const;
/** How often the patcher is evaluated on held-out text, and saved, during its training. */
const PATCHER_EVALUATIONS = 5;

/** The plan of the `patcher` section. @throws UsageError when there are more processes than rows in a step */
export function patcherPlan(patcher: Recipe['patcher'], { mode }: Recipe['hardware'], workers: Workers): TrainingPlan {
  const every = Math.max(1, Math.ceil(patcher.steps / PATCHER_EVALUATIONS));
  const rowsPerStep = rowsPerStepOf(patcher);
  return {
    ...PATCHER_ADAMW,
    steps: patcher.steps,
    rowBytes: patcher.sequence_length,
    rowsPerStep,
    microBatchRows: microBatchRows(rowsPerStep, rowsPerStep, workers),
    learningRateAt: (step) => learningRateAt(step, { ...patcher, schedule: 'cosine' }),
    learningRateScale: {},
    muonScale: muonScale(patcher),
    weightDecay: patcher.weight_decay,
    clipNorm: patcher.clip_norm,
    ngramDropout: 0,
    validateEvery: every,
    checkpointEvery: every,
    keepCheckpoints: 1,
    moments: 'float32',
    mode,
    precision: 'float32',
    gradientCheckpointing: false,
    sourceStatesCacheBytes: 0,
  };
}
