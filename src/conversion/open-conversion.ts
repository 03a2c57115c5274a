/** @module A conversion folder, opened for work: locked, its manifest at hand. */

import { existsSync } from 'node:fs';
import { readdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../errors.js';
import { lockFolder, makeFolder, removeAtomic, sweepTemporary } from '../fs/index.js';
import { systemFailure } from '../system-errors.js';
import { toolVersion } from '../version.js';
import { emptyManifest, MANIFEST_NAME, type Manifest, readManifest, writeManifest } from './manifest.js';
import { STAGES, type StageName, stagesFrom } from './stages.js';

export interface Conversion {
  readonly folder: string;
  /** Where a stage puts its output. */
  path(stage: StageName): string;
  manifest(): Manifest;
  /** Changes the manifest, on disk before it returns. */
  update(change: (manifest: Manifest) => Manifest): Promise<void>;
  /** The stage that is to be redone, with all that follow; null once that was begun. */
  restartFrom(): StageName | null;
  /** Takes a stage and all that follow out of the manifest and off the disk. */
  discardFrom(stage: StageName): Promise<void>;
  /** Gives the lock back. */
  close(): Promise<void>;
}

/**
 * Opens a conversion folder, making it when it does not exist. One that was made here and in which no stage left anything,
 * because the model's name was wrong or the disk full, is taken away again by `close`.
 * @param options.restartFrom allows `runStage` to redo that stage and the later ones
 * @param options.signal ends the clearing of what killed processes left
 * @throws UsageError when the folder holds something else; ByteifyError when another process works in it
 */
export async function openConversion(
  folder: string,
  options: { restartFrom?: StageName | undefined; signal?: AbortSignal } = {},
): Promise<Conversion> {
  const made = await makeFolder(folder).catch((error: unknown) => {
    throw systemFailure(error, folder) ?? error;
  });
  const unlock = await lockFolder(folder).catch(async (error: unknown) => {
    // Empty, or another process has begun to use it.
    if (made) await rmdir(folder).catch(() => undefined);
    throw error;
  });
  const release = async () => {
    if (made && !STAGES.some(({ output }) => existsSync(join(folder, output)))) await removeAtomic(folder);
    else await unlock();
  };
  try {
    await sweepTemporary(folder, { signal: options.signal });
    let manifest = await readManifest(folder);
    if (manifest === null) {
      await refuseForeign(folder);
      manifest = emptyManifest(toolVersion());
      await writeManifest(folder, manifest);
    }
    return conversion({ folder, manifest, release, restartFrom: options.restartFrom ?? null });
  } catch (error) {
    await release();
    throw error;
  }
}

function conversion(opened: {
  folder: string;
  manifest: Manifest;
  release: () => Promise<void>;
  restartFrom: StageName | null;
}): Conversion {
  const { folder, release } = opened;
  let { manifest, restartFrom } = opened;
  const path = (stage: StageName) => join(folder, STAGES.find(({ name }) => name === stage)!.output);
  const update = async (change: (manifest: Manifest) => Manifest) => {
    const changed = change(manifest);
    await writeManifest(folder, changed);
    manifest = changed;
  };
  return {
    folder,
    path,
    manifest: () => manifest,
    update,
    restartFrom: () => restartFrom,
    async discardFrom(stage) {
      const gone = stagesFrom(stage).map(({ name }) => name);
      // The manifest first: an output without a record is redone, a record without an output would be trusted.
      await update((now) => ({
        ...now,
        byteify: toolVersion(),
        stages: Object.fromEntries(Object.entries(now.stages).filter(([name]) => !gone.includes(name as StageName))),
      }));
      for (const name of gone.reverse()) await removeAtomic(path(name));
      restartFrom = null;
    },
    close: release,
  };
}

/** Files that are not ours are never mixed with ours. Hidden ones do not count: locks, and what editors and systems leave. */
async function refuseForeign(folder: string): Promise<void> {
  const found = (await readdir(folder)).filter((name) => !name.startsWith('.'));
  if (found.length === 0) return;
  throw new UsageError(`${folder} holds ${found[0]} but no ${MANIFEST_NAME}: it is not a conversion folder.`, {
    hint: 'Choose an empty or a new folder for --out.',
  });
}
