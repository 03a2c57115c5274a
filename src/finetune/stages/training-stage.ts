/** @module Runs one stage of gradient steps: chooses its objective, loads what it reads of the source, and evaluates the model. */
import { type BltConfig, muonShare, stageFlops } from '../../blt/index.js';
import { textOf } from '../../data/index.js';
import { deviceCount } from '../../engine/index.js';
import { disposeParams, type Params, tokenEndHead } from '../../model/index.js';
import type { TrainingStage } from '../../recipe/index.js';
import { openCheckpoint, overlay, type TensorReader } from '../../safetensors/index.js';
import type { StepBatch } from '../batches/step-batch.js';
import { train } from '../loop/train.js';
import { stagePlan } from '../loop/training-plan.js';
import type { Teacher, WantedOfSource } from '../teacher/teacher.js';
import { alignEncoderObjective } from './align-encoder.js';
import { distillDecoderObjective } from './distill-decoder.js';
import { endToEndObjective } from './end-to-end.js';
import { joinObjective } from './join.js';
import type { Objective } from './objective.js';
import type { StageContext } from './stage-context.js';
import { validationMetrics } from './validation-metrics.js';

function objectiveOf(config: BltConfig, stage: TrainingStage, source: Teacher | null): Objective {
  switch (stage.kind) {
    case 'align-encoder':
      return alignEncoderObjective(config, stage, source!.variance);
    case 'distill-decoder':
      return distillDecoderObjective(config, stage, source!.variance);
    case 'join':
      return joinObjective(config, stage);
    case 'end-to-end':
      return endToEndObjective(config, stage);
  }
}

/** What the objective's targets are computed from. */
function wantedOfSource({ targets }: Objective, layers: boolean): WantedOfSource {
  const embedding = targets.includes('encoder') || targets.includes('states');
  const head = targets.includes('bytes');
  return { tensors: [...(embedding ? (['embedding'] as const) : []), ...(head ? (['head'] as const) : [])], layers };
}

/** Floating-point operations of a step, computed from how its text was cut. */
function stepFlops(config: BltConfig, stage: TrainingStage, source: Teacher | null) {
  const vocabSize = source?.llama.config.vocabSize ?? 0;
  const { flopsPerStep } = muonShare(config, stage, stage.optimizer);
  return ({ bytes, patchCount, tokenCount, computedShare }: StepBatch): number => {
    const text = { bytes: stage.sequence_length, bytesPerPatch: bytes / patchCount };
    const shape = { vocabSize, bytesPerToken: bytes / Math.max(1, tokenCount) };
    const { model, sourceStates, sourceHead } = stageFlops({ config, text, source: shape, stage });
    return bytes * (model + computedShare * sourceStates + sourceHead) + flopsPerStep;
  };
}

/** Runs or resumes a stage. @returns the metrics of its last evaluation. @throws what `train` throws. */
export async function runTrainingStage(
  context: StageContext,
  settings: TrainingStage,
  source: Teacher | null,
): Promise<Readonly<Record<string, number>>> {
  const { from, recipe, store, run, stage, config, onStep, heldOut, sourceBitsPerByte } = context;
  const bare = objectiveOf(config, settings, source);
  // With an aligned patcher, the source's chunks depend on which cuts came late, which the token-end head tells.
  const readsCuts = bare.targets.length > 0 && source!.alignment !== null;
  const objective = readsCuts ? { ...bare, extraTensors: [tokenEndHead(config)] } : bare;
  const wanted = wantedOfSource(objective, context.loadsSourceLayers);
  const start: TensorReader = overlay(await Promise.all(from.map(openCheckpoint)));
  const validate = async (now: Params) => {
    return {
      ...(await validationMetrics(now, config, heldOut)),
      ...(sourceBitsPerByte !== null && { source_bits_per_byte: sourceBitsPerByte }),
    };
  };
  try {
    const { params, metrics } = await train({
      objective,
      config,
      start,
      plan: stagePlan(settings, recipe.hardware, { devices: deviceCount(), processes: context.group?.size ?? 1 }),
      data: objective.targets.length === 0 ? store.train : textOf(store.train),
      source: objective.targets.length === 0 ? null : await source!.trainingSource(wanted),
      flopsBefore: context.flopsBefore,
      flopsOf: stepFlops(config, settings, source),
      run,
      root: context.root,
      seed: recipe.seed + stage,
      settings: context.settings,
      signal: context.signal,
      group: context.group,
      ...(context.onSlowProcess && { onSlowProcess: context.onSlowProcess }),
      ...(onStep && { onStep: (report) => onStep({ ...report, stage }) }),
      // After align-encoder only the encoder is trained, so the model cannot predict bytes yet.
      ...(settings.kind !== 'align-encoder' && { validate }),
    });
    disposeParams(params);
    return metrics;
  } finally {
    await start.close();
  }
}
