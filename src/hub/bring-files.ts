/** @module Files of a repository into the cache: several at once, each blob once. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { refuseFullDisk, sizeOnDisk } from '../fs/index.js';
import { linkSnapshot } from './cache.js';
import { hubError, refusedBy } from './hub-errors.js';
import { inParallel } from './in-parallel.js';
import type { RemoteFile } from './list-remote.js';
import { partPath } from './part.js';
import { resolveUrl } from './resolve-url.js';
import type { Sleep } from './retry.js';
import { transferFile } from './transfer.js';

export interface DownloadProgress {
  /** Of the files under way, the one that began first. */
  readonly path: string;
  /** Of all the files, with what earlier processes brought. */
  readonly doneBytes: number;
  readonly totalBytes: number;
}

export interface Bringing {
  readonly id: string;
  readonly revision: string;
  readonly commit: string;
  readonly endpoint: string;
  /** The repository's folder in the cache. */
  readonly repository: string;
  readonly fetch: typeof fetch;
  readonly sleep?: Sleep;
  readonly signal?: AbortSignal;
  readonly stallMs?: number;
  readonly onProgress?: (event: DownloadProgress) => void;
}

/** One connection seldom fills a line; many are a burden for the hub. */
const PARALLEL = 4;

/** What is to be brought: one blob, which may have several paths. */
interface Blob {
  readonly blob: string;
  readonly name: string;
  readonly file: RemoteFile;
  readonly paths: string[];
  /** Nothing needs to be brought. */
  readonly whole: boolean;
  doneBytes: number;
}

/** The files' blobs in their order, with what is there of each. */
async function blobsOf(files: readonly RemoteFile[], repository: string): Promise<Blob[]> {
  const blobs = new Map<string, Blob>();
  for (const file of files) {
    const name = file.sha256 ?? file.oid;
    const known = blobs.get(name);
    if (known !== undefined) {
      known.paths.push(file.path);
      continue;
    }
    const blob = join(repository, 'blobs', name);
    const whole = (await sizeOnDisk(blob)) === file.sizeBytes;
    const doneBytes = whole ? file.sizeBytes : Math.min(file.sizeBytes, (await sizeOnDisk(partPath(blob))) ?? 0);
    blobs.set(name, { blob, name, file, paths: [file.path], whole, doneBytes });
  }
  return [...blobs.values()];
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);

/**
 * Checks the room on the disk, then brings what is missing and links it into the snapshot.
 * @throws what `transferFile` throws for the first file that fails; the others are stopped, and go on the next time.
 */
export async function bringFiles(bringing: Bringing, files: readonly RemoteFile[]): Promise<void> {
  const { repository, commit, signal, onProgress } = bringing;
  const blobs = await blobsOf(files, repository);
  const totalBytes = sum(blobs.map(({ file }) => file.sizeBytes));
  const doneBytes = () => sum(blobs.map((blob) => blob.doneBytes));
  await refuseFullDisk(repository, totalBytes - doneBytes());
  const underWay = new Set<Blob>();
  const tell = () => {
    const [first = blobs[0]] = underWay;
    if (first !== undefined) onProgress?.({ path: first.file.path, doneBytes: doneBytes(), totalBytes });
  };
  tell();
  await inParallel(blobs, { limit: PARALLEL, signal }, async (blob, stop) => {
    underWay.add(blob);
    if (!blob.whole) {
      await bring(bringing, blob, stop, (bytes) => {
        blob.doneBytes = bytes;
        tell();
      });
    }
    for (const path of blob.paths) await linkSnapshot(repository, commit, path, blob.name);
    underWay.delete(blob);
  });
}

async function bring(
  bringing: Bringing,
  { blob, file }: Blob,
  signal: AbortSignal,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const { id, revision, endpoint, fetch, sleep, stallMs } = bringing;
  await rm(blob, { force: true });
  await transferFile({
    name: file.path,
    url: resolveUrl(bringing, file.path),
    blob,
    sizeBytes: file.sizeBytes,
    digest: file.sha256 === null ? { kind: 'git-sha1', hex: file.oid } : { kind: 'sha256', hex: file.sha256 },
    fetch,
    ...(sleep && { sleep }),
    signal,
    ...(stallMs !== undefined && { stallMs }),
    onBytes,
    refuse: (response) => hubError(refusedBy(response), id, revision, endpoint),
  });
}
