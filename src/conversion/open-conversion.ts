/** @module A conversion folder opened for work: locked, with its manifest loaded. */

import { existsSync } from 'node:fs';
import { readdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { UsageError } from '../errors.js';
import { lockFolder, makeFolder, removeAtomic, sweepTemporary } from '../fs/index.js';
import { systemFailure } from '../system-errors.js';
import { toolVersion } from '../version.js';
import { emptyManifest, MANIFEST_NAME, type Manifest, readManifest, writeManifest } from './manifest.js';
import { outputFolder, STAGES, type StageName, stagesFrom } from './stages.js';

export interface Conversion {
  readonly folder: string;
  /** Where a stage writes its output. */
  path(stage: StageName): string;
  manifest(): Manifest;
  /** Changes the manifest. The change is on disk when the promise resolves. */
  update(change: (manifest: Manifest) => Manifest): Promise<void>;
  /** The stage to redo, together with all later ones; null once that has begun. */
  restartFrom(): StageName | null;
  /** Removes a stage and all later ones from the manifest and from the disk. */
  discardFrom(stage: StageName): Promise<void>;
  /** Releases the lock. */
  close(): Promise<void>;
}

/**
 * Opens a conversion folder and creates it if it does not exist. If this call created the folder and no stage wrote anything to it,
 * for example because the model's name was wrong or the disk was full, `close` removes it again.
 * @param options.restartFrom allows `runStage` to redo that stage and the later ones
 * @param options.signal aborts the removal of temporary files that killed processes left behind
 * @throws UsageError when the folder contains something else; ByteifyError when another process works in it
 */
export async function openConversion(
  folder: string,
  options: { restartFrom?: StageName | undefined; signal?: AbortSignal } = {},
): Promise<Conversion> {
  const made = await makeFolder(folder).catch((error: unknown) => {
    throw systemFailure(error, folder) ?? error;
  });
  const unlock = await lockFolder(folder).catch(async (error: unknown) => {
    // rmdir fails if another process has started to use the folder.
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
  const path = (stage: StageName) => outputFolder(folder, stage);
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
      const removed = stagesFrom(stage).map(({ name }) => name);
      // Update the manifest first: an output without a record is redone, but a record without an output would be trusted.
      await update((now) => ({
        ...now,
        byteify: toolVersion(),
        stages: Object.fromEntries(Object.entries(now.stages).filter(([name]) => !removed.includes(name as StageName))),
      }));
      for (const name of removed.reverse()) await removeAtomic(path(name));
      restartFrom = null;
    },
    close: release,
  };
}

/** Refuses to mix other files with ours. Hidden files, such as locks and what editors or the system create, are allowed. */
async function refuseForeign(folder: string): Promise<void> {
  const found = (await readdir(folder)).filter((name) => !name.startsWith('.'));
  if (found.length === 0) return;
  throw new UsageError(`${folder} contains ${found[0]} but no ${MANIFEST_NAME}: it is not a conversion folder.`, {
    hint: 'Choose an empty folder or a new one for --out.',
  });
}
