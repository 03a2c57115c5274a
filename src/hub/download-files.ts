/** @module Downloads files of a repository into the cache: several in parallel, each blob once. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ByteifyError } from '../errors.js';
import { refuseFullDisk, sizeOnDisk } from '../fs/index.js';
import { partPath, type Sleep, transferFile } from '../net/index.js';
import { linkSnapshot } from './cache.js';
import { hubError, refusedBy } from './hub-errors.js';
import { inParallel } from './in-parallel.js';
import type { RemoteFile } from './list-remote.js';
import { resolveUrl } from './resolve-url.js';

export interface DownloadProgress {
  /** The oldest of the files in progress. */
  readonly path: string;
  /** Bytes of all files, including what earlier processes downloaded. */
  readonly doneBytes: number;
  readonly totalBytes: number;
}

export interface FilesDownload {
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

/** One connection rarely uses the full bandwidth; many would burden the hub. */
const PARALLEL = 4;

/** One blob to download, which can have several paths. */
interface Blob {
  readonly blob: string;
  readonly name: string;
  readonly file: RemoteFile;
  readonly paths: string[];
  /** Whether the cache already has the blob. */
  readonly complete: boolean;
  doneBytes: number;
}

/** The blobs of the files in their order, each with the bytes that the cache already has. */
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
    const complete = (await sizeOnDisk(blob)) === file.sizeBytes;
    const doneBytes = complete ? file.sizeBytes : Math.min(file.sizeBytes, (await sizeOnDisk(partPath(blob))) ?? 0);
    blobs.set(name, { blob, name, file, paths: [file.path], complete, doneBytes });
  }
  return [...blobs.values()];
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);

/**
 * Checks the free disk space, then downloads the missing blobs and links them into the snapshot.
 * @throws whatever `transferFile` throws for the first file that fails. The other transfers are stopped and resume the next time.
 */
export async function downloadFiles(download: FilesDownload, files: readonly RemoteFile[]): Promise<void> {
  const { repository, commit, signal, onProgress } = download;
  const blobs = await blobsOf(files, repository);
  const totalBytes = sum(blobs.map(({ file }) => file.sizeBytes));
  const doneBytes = () => sum(blobs.map((blob) => blob.doneBytes));
  await refuseFullDisk(repository, totalBytes - doneBytes(), 'HF_HOME');
  const inProgress = new Set<Blob>();
  const report = () => {
    const [first = blobs[0]] = inProgress;
    if (first !== undefined) onProgress?.({ path: first.file.path, doneBytes: doneBytes(), totalBytes });
  };
  report();
  await inParallel(blobs, { limit: PARALLEL, signal }, async (blob, stop) => {
    inProgress.add(blob);
    if (!blob.complete) {
      await downloadBlob(download, blob, stop, (bytes) => {
        blob.doneBytes = bytes;
        report();
      });
    }
    for (const path of blob.paths) await linkSnapshot(repository, commit, path, blob.name);
    inProgress.delete(blob);
  });
}

async function downloadBlob(
  download: FilesDownload,
  { blob, file }: Blob,
  signal: AbortSignal,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const { id, revision, endpoint, fetch, sleep, stallMs } = download;
  await rm(blob, { force: true });
  await transferFile({
    name: file.path,
    url: resolveUrl(download, file.path),
    path: blob,
    sizeBytes: file.sizeBytes,
    digest: file.sha256 === null ? { kind: 'git-sha1', hex: file.oid } : { kind: 'sha256', hex: file.sha256 },
    folderVariable: 'HF_HOME',
    fetch,
    ...(sleep && { sleep }),
    signal,
    ...(stallMs !== undefined && { stallMs }),
    onBytes,
    refuse: (response) => hubError(refusedBy(response), id, revision, endpoint),
    mismatch: () =>
      new ByteifyError(
        `The downloaded bytes of ${file.path} twice did not match the hub's digest, so the file was removed.`,
        { hint: 'A proxy or mirror may be altering downloads; try another network or another HF_ENDPOINT.' },
      ),
  });
}
