/** @module The result of a training by the scripts of `byteify export --format torch`: found, and verified before it is used. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { configDigest, readBltConfig } from '../blt/index.js';
import { newestCheckpoint } from '../conversion/index.js';
import { ByteifyError, UsageError } from '../errors.js';
import { isThere, readJson } from '../fs/index.js';
import { refuseNonFinite } from './refuse-non-finite.js';

/** What the scripts write into a checkpoint last. */
export const RECORD = 'training.json';

const HINT = 'Copy the checkpoint again, or take an earlier one.';

/** Other keys are for the scripts, which resume from them. */
const recordSchema = z.object({
  format: z.literal(1),
  script: z.int().positive(),
  byteify: z.string(),
  torch: z.string(),
  transformers: z.string(),
  config_sha256: z.string(),
  data_sha256: z.string(),
  step: z.int().positive(),
  bytes: z.number().nonnegative(),
});

export interface TorchCheckpoint {
  readonly folder: string;
  readonly record: Readonly<z.output<typeof recordSchema>>;
}

/**
 * The checkpoint that a path stands for: itself, or the newest one in a hand-over or in its run.
 * @returns null for anything else
 * @throws UsageError for a hand-over without a checkpoint
 */
export async function findTorchCheckpoint(path: string): Promise<string | null> {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return null;
  if (isThere(join(path, RECORD))) return path;
  const isHandOver = isThere(join(path, 'train.json')) && isThere(join(path, 'train.py'));
  const found = await newestCheckpoint(isHandOver ? join(path, 'run') : path, RECORD);
  if (found !== null || !isHandOver) return found;
  throw new UsageError(`${path} has no finished checkpoint.`, {
    hint: 'Train it with train.py first; with its option --run, pass that folder instead.',
  });
}

/**
 * Reads a checkpoint's record, and all weights once.
 * @throws ByteifyError if a file is missing or invalid, the model is not the one that was handed over, or a weight is not a finite number; the
 * signal's reason.
 */
export async function openTorchCheckpoint(
  folder: string,
  options: { readonly signal: AbortSignal; readonly onProgress: (done: number, total: number) => void },
): Promise<TorchCheckpoint> {
  const file = { schema: recordSchema, what: 'the record of a training in PyTorch', hint: HINT };
  const record = await readJson(join(folder, RECORD), file);
  if (configDigest(await readBltConfig(folder)) !== record.config_sha256) {
    throw new ByteifyError(`${folder}/config.json is not the config of the model that was handed over.`, {
      hint: 'Train the model as it was exported: its sizes and its patcher must stay.',
    });
  }
  await refuseNonFinite(folder, { ...options, hint: 'Take an earlier checkpoint, and lower the learning rate.' });
  return { folder, record };
}
