/** @module Size and sha256 of files, streamed. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { basename } from 'node:path';

export interface HashedFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

const SHA256 = /^[0-9a-f]{64}$/;

async function sha256Of(path: string, onBytes: (bytes: number) => void, signal?: AbortSignal): Promise<string> {
  // A blob of the hub's cache was verified when it got its name, which is its sha256.
  const name = basename(await realpath(path));
  if (SHA256.test(name)) return name;
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 4 * 2 ** 20, signal })) {
    hash.update(chunk as Buffer);
    onBytes((chunk as Buffer).length);
  }
  return hash.digest('hex');
}

export async function hashFiles(
  paths: readonly string[],
  options: {
    onProgress?: (event: { path: string; doneBytes: number; totalBytes: number }) => void;
    signal?: AbortSignal;
  },
): Promise<HashedFile[]> {
  const sizes = await Promise.all(paths.map(async (path) => (await stat(path)).size));
  const totalBytes = sizes.reduce((sum, size) => sum + size, 0);
  const hashed: HashedFile[] = [];
  let doneBytes = 0;
  for (const [i, path] of paths.entries()) {
    const onBytes = (bytes: number) => {
      doneBytes += bytes;
      options.onProgress?.({ path, doneBytes, totalBytes });
    };
    hashed.push({ path, sizeBytes: sizes[i]!, sha256: await sha256Of(path, onBytes, options.signal) });
  }
  return hashed;
}
