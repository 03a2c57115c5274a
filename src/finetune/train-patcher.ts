/** @module Trains the entropy model on the user's text and picks its threshold on held-out text. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type BltConfig, bltTensors, toTransformersConfig } from '../blt/index.js';
import { writeFileAtomic } from '../conversion/index.js';
import { type ByteStore, evaluationTexts } from '../data/index.js';
import { cutText, disposeParams, type Params, readBltConfig } from '../model/index.js';
import type { Recipe } from '../recipe/index.js';
import { fromFloat32, openCheckpoint, writeSafetensorsFile } from '../safetensors/index.js';
import { type Calibration, calibrateThreshold } from './calibrate.js';
import { checkpointName, checkpointSteps } from './checkpoint.js';
import { patcherObjective } from './objective.js';
import { byteModelBitsPerByte } from './patcher-bits.js';
import { patcherPlan } from './plans.js';
import { type StepReport, train } from './train.js';

export interface TrainPatcherOptions {
  /** The remapped model: its config gives the patcher's sizes, its fresh tensors the start. */
  readonly init: string;
  /** Gets config.json with the threshold, model.safetensors with the patcher's tensors, and the run in `run/`. */
  readonly out: string;
  readonly recipe: Recipe;
  readonly store: ByteStore;
  readonly settings: string;
  readonly signal: AbortSignal;
  readonly onStep?: (report: StepReport) => void;
}

export interface PatcherReport extends Calibration {
  /** Of the byte language model itself on held-out text. */
  readonly bitsPerByte: number;
}

/** The threshold that cuts held-out texts into patches of the wanted mean size. */
export function calibrate(
  params: Params,
  config: BltConfig,
  texts: readonly Uint8Array[],
  target: number,
): Calibration {
  return calibrateThreshold(
    texts.map((text) => cutText(params, config, text).entropyNats),
    target,
  );
}

/** The same model with another threshold. */
export function withThreshold(config: BltConfig, threshold: number): BltConfig {
  return { ...config, patching: { ...config.patching, threshold } };
}

export async function trainPatcher(options: TrainPatcherOptions): Promise<PatcherReport> {
  const { init, out, recipe, store, settings, signal, onStep } = options;
  const config = await readBltConfig(init);
  const start = await openCheckpoint(init);
  await mkdir(out, { recursive: true });
  const run = join(out, 'run');
  const held = await evaluationTexts(store.validation, { maxBytes: recipe.evaluate.validation_bytes });
  try {
    const { params } = await train({
      objective: patcherObjective(config),
      config,
      start,
      plan: patcherPlan(recipe.patcher, recipe.hardware),
      data: store.train,
      flopsOf: () => 0,
      run,
      seed: recipe.seed,
      settings,
      signal,
      ...(onStep && { onStep }),
      validate: async (now) => ({ validation_bits_per_byte: byteModelBitsPerByte(now, config, held) }),
    });
    const calibration = calibrate(params, config, held, recipe.patcher.target_bytes_per_patch ?? 4.5);
    const report = { ...calibration, bitsPerByte: byteModelBitsPerByte(params, config, held) };
    await writePatcher(out, withThreshold(config, calibration.threshold), params);
    disposeParams(params);
    // The checkpoints served to resume; the curve stays.
    for (const step of await checkpointSteps(run))
      await rm(join(run, checkpointName(step)), { recursive: true, force: true });
    return report;
  } finally {
    await start.close();
  }
}

async function writePatcher(out: string, config: BltConfig, params: Params): Promise<void> {
  const specs = bltTensors(config).filter(({ part }) => part === 'patcher');
  const infos = specs.map(({ name, shape }) => ({ name, dtype: 'F32' as const, shape }));
  await writeSafetensorsFile(join(out, 'model.safetensors'), infos, ({ name }) =>
    fromFloat32(params.get(name)!.dataSync() as Float32Array, 'F32'),
  );
  // Last: a folder with a config is a patcher that is done.
  await writeFileAtomic(
    join(out, 'config.json'),
    `${JSON.stringify(toTransformersConfig(config, 'float32'), null, 2)}\n`,
  );
}
