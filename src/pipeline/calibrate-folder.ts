/** @module Sets the threshold of a conversion's patcher, or of any BLT folder, for a target mean patch size. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { configText, readBltConfig } from '../blt/index.js';
import { type Conversion, MANIFEST_NAME, openConversion } from '../conversion/index.js';
import { UsageError } from '../errors.js';
import { heldOutTexts, textsOf } from '../evaluate/index.js';
import { type Calibration, calibrate, type LabelGoal } from '../finetune/index.js';
import { readModelJson, writeFileAtomic } from '../fs/index.js';
import { disposeParams, loadPatcher } from '../model/index.js';
import { readAlignment } from '../patching/index.js';
import { recipeFor, targetBytesPerPatch } from '../recipe/index.js';
import { loadTokenizer } from '../tokenizer/index.js';
import type { Reporter } from '../ui/index.js';

export interface CalibrateFolderOptions {
  readonly dir: string;
  /** Bytes per patch; null for the target of the conversion's recipe. */
  readonly target: number | null;
  readonly data: readonly string[];
  /** The key of the text in a JSON record; `text` by default. */
  readonly textKey?: string;
  readonly maxBytes: number;
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
}

/**
 * Locks a conversion before it reads or writes anything in it.
 * @returns the calibration and the config.json it was written to.
 */
export async function calibrateFolder(options: CalibrateFolderOptions): Promise<Calibration & { config: string }> {
  const { dir } = options;
  if (!existsSync(join(dir, MANIFEST_NAME))) {
    if (options.target !== null) return calibrateCheckpoint(dir, options, options.target);
    throw new UsageError(`${dir} is not a conversion folder, so it has no target patch size.`, {
      hint: 'Give --target-bytes-per-patch.',
    });
  }
  const conversion = await openConversion(dir, { signal: options.signal });
  try {
    const folder = conversion.path('patcher');
    const target = options.target ?? (await ownTarget(folder, dir, conversion.path('import')));
    const calibration = await calibrateCheckpoint(folder, options, target);
    await recordThreshold(conversion, calibration);
    return calibration;
  } finally {
    await conversion.close();
  }
}

/**
 * The text to calibrate on: the named files, or the conversion's held-out data: those of the recipe's domain, or of all that the patcher was trained
 * on. @throws UsageError if there is none
 */
export async function calibrationTexts(
  patcher: string,
  options: Omit<CalibrateFolderOptions, 'target'>,
): Promise<Uint8Array[]> {
  const { dir, data, maxBytes } = options;
  if (data.length > 0) return textsOf(data, options);
  const { calibration_domain: only } = (await recipeFor(dir, undefined)).patcher;
  if (only !== undefined) return heldOutTexts(dir, { maxBytes, domains: { only } });
  return heldOutTexts(dir, { maxBytes, domains: (await readAlignment(patcher)) === null ? 'all' : 'text' });
}

/** The recipe's target; if it sets none, the patch count of the patcher's labels, or the paper's mean. */
async function ownTarget(patcher: string, dir: string, source: string): Promise<number | LabelGoal> {
  const recipe = await recipeFor(dir, undefined);
  const alignment = await readAlignment(patcher);
  if (alignment === null || recipe.patcher.target_bytes_per_patch !== undefined)
    return targetBytesPerPatch({ ...recipe.patcher, kind: 'entropy' });
  return { alignment, tokenizer: await loadTokenizer(source) };
}

async function calibrateCheckpoint(
  folder: string,
  options: CalibrateFolderOptions,
  target: number | LabelGoal,
): Promise<Calibration & { config: string }> {
  const { reporter } = options;
  const config = await readBltConfig(folder);
  const heldOut = await calibrationTexts(folder, options);
  reporter.stage('Calibrating');
  const params = await loadPatcher(folder, config);
  const calibration = calibrate(params, config, heldOut, target);
  disposeParams(params);
  const path = join(folder, 'config.json');
  const json = await readModelJson(path, 'Write or download the checkpoint again.');
  await writeFileAtomic(path, configText({ ...json, patching_threshold: calibration.threshold }));
  reporter.done();
  return { ...calibration, config: path };
}

/** Records the threshold in the manifest, so that a run that started with another one is refused. */
async function recordThreshold(conversion: Conversion, { threshold, bytesPerPatch }: Calibration): Promise<void> {
  await conversion.update((manifest) => {
    const patcher = manifest.stages.patcher;
    if (patcher === undefined) return manifest;
    // Measurements with the previous threshold no longer apply.
    const { patcher_bits_per_byte: bits, patcher_flops: flops } = patcher.metrics;
    const metrics = {
      ...(bits !== undefined && { patcher_bits_per_byte: bits }),
      ...(flops !== undefined && { patcher_flops: flops }),
      threshold_nats: threshold,
      bytes_per_patch: bytesPerPatch,
    };
    return { ...manifest, stages: { ...manifest.stages, patcher: { ...patcher, metrics } } };
  });
}
