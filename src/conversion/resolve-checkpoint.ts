/** @module A DIR of the command line: a conversion folder, or a plain checkpoint folder. */

import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ByteifyError, UsageError } from '../errors.js';
import { readModelJson, readTextIfThere } from '../fs/index.js';
import { danglingLink } from '../system-errors.js';
import { MANIFEST_NAME } from './manifest.js';

/** Checkpoints of a run are `run/checkpoint-STEP`, each a whole BLT folder with the trainer's state beside the weights. */
const CHECKPOINT_NAME = /^checkpoint-(\d+)$/;

/** While a recipe of several stages is not at its last one, they lie in `run/stage-I`. */
const STAGE_NAME = /^stage-(\d+)$/;

export interface Checkpoint {
  readonly folder: string;
  /** `model_type` of its config.json. */
  readonly modelType: string;
  /** Where in a conversion it was found; `plain` when the folder itself is the checkpoint. */
  readonly origin: 'export' | 'run' | 'init' | 'source' | 'plain';
}

/**
 * The checkpoint that a folder stands for. Of a conversion: the export, else the newest checkpoint of the run, else the
 * remapped model; never the source, unless asked for.
 * @param options.prefer takes these places in this order instead; `export` wants `['run', 'init']`
 * @throws UsageError when there is none
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
    const found = await PLACES[origin](folder);
    if (found !== null && existsSync(join(found, 'config.json'))) return checkpoint(found, origin);
  }
  throw new UsageError(`The conversion in ${folder} has no checkpoint yet.`, {
    hint: 'Run `byteify convert` with the same --out to go on with it.',
  });
}

/** What a folder lacks to be a conversion or a checkpoint. */
function missing(folder: string): string {
  const dangling = danglingLink(folder);
  if (dangling !== null) return `${dangling.link} is a link to ${dangling.target}, which does not exist.`;
  return existsSync(folder) ? `${folder} holds no ${MANIFEST_NAME} and no config.json.` : `${folder} does not exist.`;
}

const PLACES = {
  export: async (folder: string) => join(folder, 'blt'),
  run: (folder: string) => newestCheckpoint(join(folder, 'run')),
  init: async (folder: string) => join(folder, 'init'),
  source: async (folder: string) => join(folder, 'source'),
} as const;

/** The checkpoint of a run's latest stage with the highest step, or null. */
export async function newestCheckpoint(run: string): Promise<string | null> {
  const names = await readdir(run).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
    throw error;
  });
  const [newest] = byNumber(names, CHECKPOINT_NAME);
  if (newest !== undefined) return join(run, newest);
  for (const stage of byNumber(names, STAGE_NAME)) {
    const found = await newestCheckpoint(join(run, stage));
    if (found !== null) return found;
  }
  return null;
}

/** The names that match, the highest number first. */
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
  if (typeof modelType !== 'string') throw new ByteifyError(`${path} names no model_type.`, { hint: HINT });
  return { folder, modelType, origin };
}
