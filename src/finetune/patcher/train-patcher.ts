/** @module Trains the patcher on the user's text and picks its threshold on held-out text. */

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type BltConfig,
  configText,
  muonShare,
  patcherTensors,
  readBltConfig,
  stageFlops,
  type TensorSpec,
  toTransformersConfig,
} from '../../blt/index.js';
import { allTexts, type ByteStore, domainOf, evaluationTexts, textOf } from '../../data/index.js';
import { deviceCount } from '../../engine/index.js';
import { UsageError } from '../../errors.js';
import { byteModelBitsPerByte } from '../../evaluate/index.js';
import { digestOfFile, makeFolder, writeFileAtomic } from '../../fs/index.js';
import type { ProcessGroup } from '../../group/index.js';
import { disposeParams, type Params } from '../../model/index.js';
import { type AlignmentRecord, writeAlignment } from '../../patching/index.js';
import { type Recipe, targetBytesPerPatch } from '../../recipe/index.js';
import {
  fromFloat32,
  openCheckpoint,
  type TensorReader,
  tensorBytes,
  writeSafetensorsFile,
} from '../../safetensors/index.js';
import { loadTokenizer } from '../../tokenizer/index.js';
import type { StepBatch } from '../batches/step-batch.js';
import type { Followers } from '../followers.js';
import { checkpointName, checkpointSteps } from '../loop/checkpoint.js';
import type { SlowProcess } from '../loop/slow-process.js';
import { train } from '../loop/train.js';
import type { StepReport, TrainOptions } from '../loop/train-options.js';
import { patcherPlan } from '../loop/training-plan.js';
import { type AlignedSettings, alignedPatcherObjective, TRAINING_THRESHOLD } from './aligned-objective.js';
import { calibrate, type LabelGoal, withThreshold } from './calibrate-patcher.js';
import { patcherObjective } from './next-byte-objective.js';
import type { Calibration } from './pick-threshold.js';

export interface TrainPatcherOptions {
  /** The remapped model: its config determines the patcher's size, and its freshly initialised tensors are the starting point. */
  readonly init: string;
  /** The folder for config.json with the threshold, model.safetensors with the patcher's tensors, and the training run in `run/`. */
  readonly out: string;
  /** The folder of the source's tokenizer; null if there is no source. */
  readonly tokenizerFolder: string | null;
  readonly recipe: Recipe;
  readonly store: ByteStore;
  readonly settings: string;
  readonly signal: AbortSignal;
  /** The processes that train with this one; null if it trains alone. */
  readonly followers?: Followers | null;
  readonly onSlowProcess?: (slow: SlowProcess) => void;
  readonly onStep?: (report: StepReport) => void;
}

export interface PatcherReport extends Calibration {
  /** Of the patcher as a byte language model, on held-out text. */
  readonly bitsPerByte: number;
  /** Floating-point operations of its training. */
  readonly flops: number;
}

/** The settings of an aligned patcher; null for a plain entropy patcher. @throws UsageError when it needs a source and there is none. */
function alignedSettings({ patcher }: Recipe, tokenizerFolder: string | null): AlignedSettings | null {
  if (patcher.kind === 'entropy') return null;
  if (tokenizerFolder === null) {
    throw new UsageError('An aligned patcher follows the source’s tokens, and this conversion has no source.', {
      hint: 'Start with `byteify convert` or `byteify import`, or set patcher.kind to entropy.',
    });
  }
  return {
    labels: patcher.labels,
    endConfidence: patcher.end_confidence,
    boundaryWeight: patcher.boundary_weight,
    boundaryTemperature: patcher.boundary_temperature,
    tokenizerFolder,
  };
}

/** The remapped model with a token-end head of zeros added. */
function withFreshHead(start: TensorReader, { name, shape }: TensorSpec): TensorReader {
  const info = { name, dtype: 'F32' as const, shape };
  return {
    ...start,
    tensors: new Map([...start.tensors, [name, info]]),
    read: async (wanted, range) =>
      wanted === name ? new Uint8Array(range?.length ?? tensorBytes(info)) : await start.read(wanted, range),
    close: () => start.close(),
  };
}

/** What the training of a patcher consists of, before it begins. */
interface PatcherTraining {
  readonly config: BltConfig;
  readonly aligned: AlignedSettings | null;
  readonly heldOut: readonly Uint8Array[];
  /** On which the threshold is chosen. */
  readonly calibrationTexts: readonly Uint8Array[];
  readonly options: TrainOptions;
}

/** Opens the remapped model; the caller closes `options.start`. */
async function openTraining(given: TrainPatcherOptions, group: ProcessGroup | null): Promise<PatcherTraining> {
  const { init, out, recipe, store, settings, signal, onStep, onSlowProcess } = given;
  const config = await readBltConfig(init);
  const aligned = alignedSettings(recipe, given.tokenizerFolder);
  const objective =
    aligned === null
      ? patcherObjective(config, recipe.patcher.character_weight ?? 0)
      : alignedPatcherObjective(config, aligned);
  const [head] = objective.extraTensors ?? [];
  // An aligned patcher learns from the source's tokens, which only text has.
  const [data, validation] =
    aligned === null ? [store.train, store.validation] : [textOf(store.train), textOf(store.validation)];
  const maxBytes = recipe.evaluate.validation_bytes;
  const heldOut = allTexts(await evaluationTexts(validation, { maxBytes }));
  const domain = recipe.patcher.calibration_domain;
  const calibrationTexts =
    domain === undefined ? heldOut : allTexts(await evaluationTexts(domainOf(validation, domain), { maxBytes }));
  const remapped = await openCheckpoint(init);
  const run = join(out, 'run');
  const options: TrainOptions = {
    ...{ objective, config, data, run, root: run, seed: recipe.seed, settings, signal, group },
    start: head === undefined ? remapped : withFreshHead(remapped, head),
    plan: patcherPlan(recipe.patcher, recipe.hardware, { devices: deviceCount(), processes: group?.size ?? 1 }),
    flopsOf: stepFlops(config, recipe.patcher),
    ...(onStep && { onStep }),
    ...(onSlowProcess && { onSlowProcess }),
    validate: async (now) => ({ validation_bits_per_byte: byteModelBitsPerByte(now, config, heldOut) }),
  };
  return { config, aligned, heldOut, calibrationTexts, options };
}

/**
 * Trains the patcher, or resumes its training, and calibrates its threshold. The engine must be started.
 * @throws UsageError when the recipe asks for what the source or the data do not have; what `train` throws
 */
export async function trainPatcher(given: TrainPatcherOptions): Promise<PatcherReport> {
  const { out, recipe, followers = null } = given;
  const { config, aligned, heldOut, calibrationTexts, options } = await openTraining(given, followers?.group ?? null);
  const { objective, run, start } = options;
  await makeFolder(out);
  try {
    const { init, tokenizerFolder, store, settings } = given;
    await followers?.announce({
      ...{ kind: 'patcher', init, out, tokenizerFolder, recipe, settings, store: store.folder },
    });
    const { params, metrics } = await train(options);
    const goal = recipe.patcher.target_bytes_per_patch ?? (await labelGoal(aligned));
    const calibration = calibrate(params, config, calibrationTexts, goal ?? targetBytesPerPatch(recipe.patcher));
    const bitsPerByte = byteModelBitsPerByte(params, config, heldOut);
    const report = { ...calibration, bitsPerByte, flops: metrics.flops! };
    if (aligned !== null) await writeAlignment(out, await alignmentRecord(aligned));
    await writePatcher(out, withThreshold(config, calibration.threshold), params, objective.extraTensors ?? []);
    disposeParams(params);
    // Checkpoints are only needed to resume; the metrics stay.
    for (const step of await checkpointSteps(run))
      await rm(join(run, checkpointName(step)), { recursive: true, force: true });
    return report;
  } finally {
    await start.close();
  }
}

/** Trains a patcher together with the process that leads, which does everything else. */
export async function followPatcherTraining(given: TrainPatcherOptions, group: ProcessGroup): Promise<void> {
  const { options } = await openTraining(given, group);
  try {
    disposeParams((await train(options)).params);
  } finally {
    await options.start.close();
  }
}

/** Floating-point operations of a step. */
function stepFlops(config: BltConfig, patcher: Recipe['patcher']) {
  const text = { bytes: patcher.sequence_length, bytesPerPatch: 1 };
  const source = { vocabSize: 0, bytesPerToken: 1 };
  const perByte = stageFlops({ config, text, source, stage: { kind: 'patcher' } }).model;
  const { flopsPerStep } = muonShare(config, { kind: 'patcher' }, patcher.optimizer);
  return ({ bytes }: StepBatch): number => bytes * perByte + flopsPerStep;
}

async function labelGoal(aligned: AlignedSettings | null): Promise<LabelGoal | null> {
  return aligned === null ? null : { alignment: aligned, tokenizer: await loadTokenizer(aligned.tokenizerFolder) };
}

async function alignmentRecord({ labels, endConfidence, tokenizerFolder }: AlignedSettings): Promise<AlignmentRecord> {
  const tokenizerDigest = await digestOfFile(join(tokenizerFolder, 'tokenizer.json'));
  return { labels, endConfidence, tokenizerDigest, trainingThreshold: TRAINING_THRESHOLD };
}

async function writePatcher(
  out: string,
  config: BltConfig,
  params: Params,
  extra: readonly TensorSpec[],
): Promise<void> {
  const specs = [...patcherTensors(config), ...extra];
  const infos = specs.map(({ name, shape }) => ({ name, dtype: 'F32' as const, shape }));
  await writeSafetensorsFile(join(out, 'model.safetensors'), infos, ({ name }) =>
    fromFloat32(params.get(name)!.dataSync() as Float32Array, 'F32'),
  );
  // Written last: a folder with a config.json is a finished patcher.
  await writeFileAtomic(join(out, 'config.json'), configText(toTransformersConfig(config, 'float32')));
}
