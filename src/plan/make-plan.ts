/** @module Predicts the cost of a whole conversion, stage by stage. */

import {
  adaptersOf,
  type BltConfig,
  bltTensors,
  type FlopParts,
  forwardFlops,
  type Lora,
  loadsSourceLayers,
  muonShare,
  type TextShape,
} from '../blt/index.js';
import { BYTES_PER_TOKEN, type Recipe, rowsPerStepOf, targetBytesPerPatch, wantedTexts } from '../recipe/index.js';
import { elementCount } from '../safetensors/index.js';
import { type PartParameters, parametersByPart, sumParameters, usedParametersByPart } from './parameters.js';
import { type StageCost, type TrainingWork, trainingStageCost } from './training-stage.js';

export interface Plan {
  readonly parameters: PartParameters;
  /** FLOPs per byte of one forward pass of the finished model, at the last stage's row length. */
  readonly forward: FlopParts;
  readonly bytesPerPatch: number;
  readonly stages: readonly StagePlan[];
  /** Bytes on disk at the end. */
  readonly diskBytes: number;
  /** The highest peak of all stages, in bytes. */
  readonly memoryBytes: number;
  /** Training time; null when no rate is known. */
  readonly seconds: number | null;
}

export interface StagePlan {
  readonly stage: string;
  readonly diskBytes: number;
  /** Null for the stages that only copy, which keep one part of one tensor in memory. */
  readonly training: StageCost | null;
}

const BYTES_PER_WEIGHT = { float32: 4, bfloat16: 2 } as const;

export interface PlanInputs {
  readonly config: BltConfig;
  readonly recipe: Recipe;
  /** Size of the source's weights on disk. */
  readonly sourceBytes: number;
  /** Number of tokens in the source's vocabulary. */
  readonly sourceVocabSize: number;
  /** Bytes per weight of the remapped model with `dtype: source`. */
  readonly sourceBytesPerWeight: 2 | 4;
  /** The rate that the machine sustains; null when unknown. */
  readonly flopsPerSecond: number | null;
}

/** The cost of a conversion, stage by stage. */
export function makePlan(params: PlanInputs): Plan {
  const { config, recipe, flopsPerSecond } = params;
  const parameters = parametersByPart(config);
  const used = usedParametersByPart(config);
  const total = sumParameters(parameters);
  const { dtype } = recipe.blt;
  const works = trainingWorks(recipe, config);
  const frozenWeightBytes = dtype === 'source' ? params.sourceBytesPerWeight : BYTES_PER_WEIGHT[dtype];
  // Each patch is tokenised separately, so a token is no longer than a patch.
  const source = {
    vocabSize: params.sourceVocabSize,
    bytesPerToken: Math.min(BYTES_PER_TOKEN, targetBytesPerPatch(recipe.patcher)),
  };
  const copies = (stage: string, diskBytes: number): StagePlan => ({ stage, diskBytes, training: null });
  const trainings = works.map((work): StagePlan => {
    const training = trainingStageCost({
      config,
      counts: used,
      source,
      work,
      frozenWeightBytes,
      flopsPerSecond,
    });
    return { stage: work.name, diskBytes: training.diskBytes, training };
  });
  const initBytes = total * frozenWeightBytes;
  const stages = [
    copies('import', params.sourceBytes),
    copies('remap', initBytes),
    ...trainings,
    copies('export', total * BYTES_PER_WEIGHT[recipe.export.dtype]),
  ];
  const text = lastText(works);
  return {
    parameters,
    forward: forwardFlops(config, text),
    bytesPerPatch: text.bytesPerPatch,
    stages,
    diskBytes: stages.reduce((sum, { diskBytes }) => sum + diskBytes, 0),
    memoryBytes: Math.max(...stages.map(({ training }) => training?.memory.peakBytes ?? 0)),
    seconds: flopsPerSecond === null ? null : stages.reduce((sum, { training }) => sum + (training?.seconds ?? 0), 0),
  };
}

/** The text for which the finished model's inference is counted: a row of the last stage, in patches of the recipe's size. */
export const inferenceText = (recipe: Recipe, config: BltConfig): TextShape => lastText(trainingWorks(recipe, config));

function lastText(works: readonly TrainingWork[]): TextShape {
  const { rowBytes: bytes, bytesPerPatch } = works.at(-1)!;
  return { bytes, bytesPerPatch };
}

type Stage = Recipe['stages'][number];

/** The defaults of a stage without training settings. */
const DEFAULTS = {
  steps: 0,
  precision: 'float32',
  gradientCheckpointing: false,
  optimizerState: 'float32',
  muon: { parameters: 0, flopsPerStep: 0 },
  adapterParameters: 0,
  keepCheckpoints: 1,
  closedForm: null,
  sourceStatesCacheBytes: 0,
  loadsSourceLayers: false,
} as const;

/** The patcher's training and the recipe's stages, as the plan's work items. */
export function trainingWorks(recipe: Recipe, config: BltConfig): TrainingWork[] {
  const { patcher, stages } = recipe;
  const bytesPerPatch = targetBytesPerPatch(patcher);
  const nameOf = ({ kind }: Stage, index: number) => (stages.length === 1 ? 'finetune' : `finetune ${index} ${kind}`);
  return [
    patcherWork(patcher, bytesPerPatch, config),
    ...stages.map((stage, index) => {
      const layers = loadsSourceLayers(stages, index);
      return stageWork(stage, { name: nameOf(stage, index), bytesPerPatch, config, loadsSourceLayers: layers });
    }),
  ];
}

function patcherWork(patcher: Recipe['patcher'], bytesPerPatch: number, config: BltConfig): TrainingWork {
  const rowsPerStep = rowsPerStepOf(patcher);
  return {
    ...DEFAULTS,
    name: 'patcher',
    muon: muonShare(config, { kind: 'patcher' }, patcher.optimizer),
    stage: { kind: 'patcher' },
    steps: patcher.steps,
    bytes: patcher.steps * rowsPerStep * patcher.sequence_length,
    rowBytes: patcher.sequence_length,
    rowsPerStep,
    microBatchRows: rowsPerStep,
    bytesPerPatch,
  };
}

function stageWork(
  stage: Stage,
  { config, ...shared }: Pick<TrainingWork, 'name' | 'bytesPerPatch' | 'loadsSourceLayers'> & { config: BltConfig },
): TrainingWork {
  const common = { ...shared, stage, rowBytes: stage.sequence_length };
  if (stage.kind === 'closed-form') {
    const { micro_batch_size: microBatchRows, encoder, decoder } = stage;
    const texts = wantedTexts(stage);
    const bytes = texts.solveBytes + Math.max(texts.textBytes, texts.ngramBytes);
    const closedForm = { ...texts, encoder, decoder };
    return { ...DEFAULTS, ...common, bytes, closedForm, rowsPerStep: microBatchRows, microBatchRows };
  }
  const rowsPerStep = rowsPerStepOf(stage);
  return {
    ...common,
    steps: stage.steps,
    bytes: stage.steps * rowsPerStep * stage.sequence_length,
    rowsPerStep,
    microBatchRows: Math.min(stage.micro_batch_size, rowsPerStep),
    precision: stage.precision,
    gradientCheckpointing: stage.gradient_checkpointing,
    optimizerState: stage.optimizer_state,
    muon: muonShare(config, stage, stage.optimizer),
    adapterParameters: stage.kind === 'end-to-end' && stage.lora ? adapterParameters(config, stage.lora) : 0,
    keepCheckpoints: stage.keep_checkpoints,
    closedForm: null,
    sourceStatesCacheBytes: 'source_states_cache_bytes' in stage ? stage.source_states_cache_bytes : 0,
  };
}

function adapterParameters(config: BltConfig, lora: Lora): number {
  const sizes = adaptersOf(bltTensors(config), lora).flatMap(({ a, b }) => [a.shape, b.shape]);
  return sizes.reduce((sum, shape) => sum + elementCount(shape), 0);
}
