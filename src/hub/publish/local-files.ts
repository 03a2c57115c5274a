/** @module The files that are to be published, with the digests that the hub knows them by. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { pathToFileURL } from 'node:url';

export interface LocalFile {
  /** In the repository, with forward slashes. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  /** git's sha1 of it as a blob: what the hub knows a small file by. */
  readonly gitSha1: string;
  /** A file on disk, which is read when it is sent, or bytes at hand. */
  readonly content: URL | Blob;
}

/**
 * Files of a folder, at any depth, as paths relative to it with forward slashes. Hidden files and folders are not published: they are
 * marks of tools and what editors leave.
 */
export async function publishedPaths(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true });
  const paths: string[] = [];
  for (const name of names.sort()) {
    const parts = name.split(sep);
    if (!parts.some((part) => part.startsWith('.')) && (await stat(join(folder, name))).isFile()) {
      paths.push(parts.join('/'));
    }
  }
  return paths;
}

/**
 * Reads every file once.
 * @param onProgress is told the bytes of all files
 */
export async function hashPaths(
  folder: string,
  paths: readonly string[],
  options: { onProgress?: (doneBytes: number, totalBytes: number, path: string) => void; signal?: AbortSignal } = {},
): Promise<LocalFile[]> {
  const { onProgress, signal } = options;
  const sizes = await Promise.all(paths.map(async (path) => (await stat(join(folder, path))).size));
  const totalBytes = sizes.reduce((sum, size) => sum + size, 0);
  let doneBytes = 0;
  const files: LocalFile[] = [];
  for (const [i, path] of paths.entries()) {
    const sizeBytes = sizes[i]!;
    const where = join(folder, path);
    const [sha256, sha1] = [createHash('sha256'), createHash('sha1').update(`blob ${sizeBytes}\0`)];
    for await (const chunk of createReadStream(where, { highWaterMark: 2 ** 20, signal })) {
      sha256.update(chunk as Buffer);
      sha1.update(chunk as Buffer);
      doneBytes += (chunk as Buffer).length;
      onProgress?.(doneBytes, totalBytes, path);
    }
    const content = pathToFileURL(where);
    files.push({ path, sizeBytes, sha256: sha256.digest('hex'), gitSha1: sha1.digest('hex'), content });
  }
  return files;
}
