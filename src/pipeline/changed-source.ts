/** @module Detects changes to the files of a local model after its import. A hub model is pinned by its commit. */
import { resolve } from 'node:path';
import type { Conversion } from '../conversion/index.js';
import { listFiles } from '../data/index.js';
import { UsageError } from '../errors.js';
import { digestOf } from '../fs/index.js';
import { changedFiles, inShort } from './changed-files.js';

/**
 * @param model as named on the command line; `runStage` refuses a model other than the imported one.
 * @throws UsageError naming the first file that is missing, new or changed, unless the import is to be redone; the signal's reason.
 */
export async function refuseChangedSource(conversion: Conversion, model: string, signal: AbortSignal): Promise<void> {
  const { revision, stages } = conversion.manifest();
  const imported = stages.import;
  if (imported?.state !== 'done' || revision !== null || conversion.restartFrom() === 'import') return;
  if (![model, resolve(model)].some((name) => digestOf(name) === imported.inputs.model)) return;
  const before = imported.files.map((file) => ({ ...file, modified: file.modified ?? null }));
  const there = await Promise.all(before.map(({ path }) => listFiles([path]).catch(() => [])));
  const digests = new Map(before.map(({ path, sha256 }) => [path, sha256]));
  const changes = await changedFiles(before, there.flat(), { digests, signal });
  if (changes.length === 0) return;
  throw new UsageError(
    `The model has changed since the stage "import" began in ${conversion.folder}: ${inShort(changes)}.`,
    { hint: 'Restore it, add --restart-from import to redo the import and all later stages, or choose another --out.' },
  );
}
