/** @module Copies the text that stays in prepared folders into a store, which then needs no other files. */
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createAppendFile } from '../fs/index.js';
import { SPLITS } from './fill-empty-splits.js';
import { bytesFile, MANIFEST_FILE, openStore, placesFile, type StoredSplit } from './store.js';

async function writeBytes(path: string, split: StoredSplit): Promise<void> {
  const file = await createAppendFile(path);
  try {
    for (let chunk = 0; chunk < split.count; chunk++) await file.append(await split.read(chunk));
  } finally {
    await file.close();
  }
}

/**
 * Changes a store that no one else uses; one that has all of its text stays as it is. Chunks, splits and digests are the same afterwards.
 * @throws ByteifyError naming a prepared folder's shard that is gone or was changed
 */
export async function embedText(folder: string): Promise<void> {
  const store = await openStore(folder);
  const { sources, ...manifest } = store.manifest;
  try {
    if (sources === undefined) return;
    for (const name of SPLITS) {
      const path = join(folder, bytesFile(name));
      await writeBytes(`${path}.whole`, store[name]);
      await rename(`${path}.whole`, path);
      await rm(join(folder, placesFile(name)));
    }
    await writeFile(join(folder, MANIFEST_FILE), `${JSON.stringify(manifest, null, 2)}\n`);
  } finally {
    await store.close();
  }
}
