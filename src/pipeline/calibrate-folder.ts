/** @module Sets the threshold of a conversion's patcher, or of any BLT folder, by a wanted mean patch size. */
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bltTensors } from '../blt/index.js';
import { MANIFEST_NAME, openConversion, writeFileAtomic } from '../conversion/index.js';
import { buildStore, evaluationTexts, openStore } from '../data/index.js';
import { UsageError } from '../errors.js';
import { type Calibration, calibrate } from '../finetune/index.js';
import { disposeParams, loadParams, readBltConfig } from '../model/index.js';
import { openCheckpoint } from '../safetensors/index.js';
import type { Reporter } from '../ui/index.js';

export interface CalibrateFolderOptions {
  readonly dir: string;
  readonly target: number;
  readonly data: readonly string[];
  readonly maxBytes: number;
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
}

/** Small, so that one short file makes enough pieces. */
const CALIBRATION_PIECE_BYTES = 1024;

/** Texts of the named files, or the held-out texts of the conversion. */
async function texts({ dir, data, maxBytes, signal }: CalibrateFolderOptions): Promise<Uint8Array[]> {
  if (data.length === 0) {
    const folder = join(dir, 'data');
    if (!existsSync(folder))
      throw new UsageError('There is no text to calibrate on.', { hint: 'Give files or folders with --data PATH.' });
    const store = await openStore(folder);
    return evaluationTexts(store.validation, { maxBytes }).finally(() => store.close());
  }
  const out = await mkdtemp(join(tmpdir(), 'byteify-calibrate-'));
  try {
    await buildStore({
      paths: data,
      out: join(out, 'data'),
      pieceBytes: CALIBRATION_PIECE_BYTES,
      validationFraction: 0.5,
      textKey: 'text',
      seed: 0,
      signal,
    });
    const store = await openStore(join(out, 'data'));
    return await evaluationTexts(store.validation, { maxBytes }).finally(() => store.close());
  } finally {
    await rm(out, { recursive: true, force: true });
  }
}

/** @returns the calibration and the config.json it was written to. */
export async function calibrateFolder(options: CalibrateFolderOptions): Promise<Calibration & { config: string }> {
  const { dir, target, reporter } = options;
  const isConversion = existsSync(join(dir, MANIFEST_NAME));
  const folder = isConversion ? join(dir, 'patcher') : dir;
  const config = await readBltConfig(folder);
  const heldOut = await texts(options);
  reporter.stage('Calibrating');
  const reader = await openCheckpoint(folder);
  const names = bltTensors(config).flatMap(({ name, part }) => (part === 'patcher' ? [name] : []));
  const params = await loadParams(reader, names).finally(() => reader.close());
  const calibration = calibrate(params, config, heldOut, target);
  disposeParams(params);
  const path = join(folder, 'config.json');
  const json = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
  await writeFileAtomic(path, `${JSON.stringify({ ...json, patching_threshold: calibration.threshold }, null, 2)}\n`);
  if (isConversion) await recordThreshold(dir, calibration);
  reporter.done();
  return { ...calibration, config: path };
}

/** The manifest knows the threshold: a run that was begun with another one is refused. */
async function recordThreshold(dir: string, { threshold, bytesPerPatch }: Calibration): Promise<void> {
  const conversion = await openConversion(dir);
  try {
    await conversion.update((manifest) => {
      const patcher = manifest.stages.patcher;
      if (patcher === undefined) return manifest;
      const metrics = { ...patcher.metrics, threshold_nats: threshold, bytes_per_patch: bytesPerPatch };
      return { ...manifest, stages: { ...manifest.stages, patcher: { ...patcher, metrics } } };
    });
  } finally {
    await conversion.close();
  }
}
