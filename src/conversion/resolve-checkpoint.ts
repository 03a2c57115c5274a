/** @module Resolves a DIR argument of the command line, which is either a conversion folder or a plain checkpoint folder. */

import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ByteifyError, UsageError } from '../errors.js';
import { isThere, readModelJson, readTextIfThere } from '../fs/index.js';
import { danglingLink } from '../system-errors.js';
import { MANIFEST_NAME } from './manifest.js';

/** A run's checkpoints are `run/checkpoint-STEP`. Each is a whole BLT folder with the trainer's state beside the weights. */
const CHECKPOINT_NAME = /^checkpoint-(\d+)$/;

/** The checkpoints of all stages but a recipe's last one are in `run/stage-I`. */
const STAGE_NAME = /^stage-(\d+)$/;

export interface Checkpoint {
  readonly folder: string;
  /** `model_type` of its config.json. */
  readonly modelType: string;
  /** Which part of the conversion it comes from; `plain` when the folder itself is the checkpoint. */
  readonly origin: 'export' | 'run' | 'init' | 'source' | 'plain';
}

/**
 * Finds the checkpoint that a folder stands for. In a conversion that is the export, else the newest checkpoint of the run, else the
 * remapped model. The source is used only on request.
 * @param options.prefer the parts to look in, in order of preference; `export` passes `['run', 'init']`
 * @throws UsageError when there is no checkpoint
 */
export async function resolveCheckpoint(
  folder: string,
  options: { prefer?: readonly Exclude<Checkpoint['origin'], 'plain'>[] } = {},
): Promise<Checkpoint> {
  if ((await readTextIfThere(join(folder, MANIFEST_NAME))) === null) {
    if (existsSync(join(folder, 'config.json'))) return checkpoint(folder, 'plain');
    throw new UsageError(missing(folder), { hint: 'Give a conversion folder or a checkpoint folder.' });
  }
  for (const origin of options.prefer ?? (['export', 'run', 'init'] as const)) {
    const found = await FINDERS[origin](folder);
    if (found !== null && existsSync(join(found, 'config.json'))) return checkpoint(found, origin);
  }
  throw new UsageError(`The conversion in ${folder} has no checkpoint yet.`, {
    hint: 'Run `byteify convert` with the same --out to resume it.',
  });
}

/** Why a folder is neither a conversion nor a checkpoint, as a sentence. */
function missing(folder: string): string {
  const dangling = danglingLink(folder);
  if (dangling !== null) return `${dangling.link} is a link to ${dangling.target}, which does not exist.`;
  return existsSync(folder)
    ? `${folder} contains no ${MANIFEST_NAME} and no config.json.`
    : `${folder} does not exist.`;
}

const FINDERS = {
  export: async (folder: string) => join(folder, 'blt'),
  run: (folder: string) => newestCheckpoint(join(folder, 'run')),
  init: async (folder: string) => join(folder, 'init'),
  source: async (folder: string) => join(folder, 'source'),
} as const;

/**
 * The checkpoint with the highest step in a run's latest stage; null when there is none.
 * @param marker a file that only complete checkpoints have, if not all are
 */
export async function newestCheckpoint(run: string, marker = ''): Promise<string | null> {
  const names = await readdir(run).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
    throw error;
  });
  const newest = byNumber(names, CHECKPOINT_NAME).find((name) => isThere(join(run, name, marker)));
  if (newest !== undefined) return join(run, newest);
  for (const stage of byNumber(names, STAGE_NAME)) {
    const found = await newestCheckpoint(join(run, stage), marker);
    if (found !== null) return found;
  }
  return null;
}

/** The matching names, sorted by descending number. */
function byNumber(names: readonly string[], pattern: RegExp): string[] {
  const numbered = names.flatMap((name) => {
    const match = pattern.exec(name);
    return match === null ? [] : [{ name, number: Number(match[1]) }];
  });
  return numbered.sort((a, b) => b.number - a.number).map(({ name }) => name);
}

const HINT = 'Write or download the checkpoint again: transformers cannot load it either.';

async function checkpoint(folder: string, origin: Checkpoint['origin']): Promise<Checkpoint> {
  const path = join(folder, 'config.json');
  const modelType = (await readModelJson(path, HINT))?.model_type;
  if (typeof modelType !== 'string') throw new ByteifyError(`${path} has no model_type.`, { hint: HINT });
  return { folder, modelType, origin };
}
