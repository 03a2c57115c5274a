/** @module Downloads one pinned wheel from the package index that pip is configured for, and verifies it. */
import { rename, rm } from 'node:fs/promises';
import { ByteifyError, messageOf } from '../../errors.js';
import { digestOfFile, sizeOnDisk } from '../../fs/index.js';
import { partPath, retryingFetch, type Sleep, transferFile } from '../../net/index.js';
import type { PinnedWheel } from './libraries.js';
import { downloadWithPip, wheelUrl } from './pip.js';

export interface FetchOptions {
  readonly onProgress?: (event: { project: string; doneBytes: number; totalBytes: number }) => void;
  readonly signal?: AbortSignal;
  /** Waits between attempts; by default a timer. */
  readonly sleep?: Sleep;
}

/** One request is already retried for some seconds. Where no direct connection is possible, pip should get its turn soon. */
const IDLE_ATTEMPTS = 2;

function wrongDigest({ project, version }: PinnedWheel): ByteifyError {
  return new ByteifyError(`${project} ${version} does not have the pinned sha256, so the download was removed.`, {
    hint: 'A proxy or mirror may alter downloads. Run `byteify setup` again, or pass --libtensorflow DIR with a copy you trust.',
  });
}

/** @param onBytes called whenever bytes arrive. */
async function transferWheel(
  wheel: PinnedWheel,
  path: string,
  url: string,
  { onBytes, sleep, signal }: { onBytes: (doneBytes: number) => void; sleep?: Sleep; signal?: AbortSignal },
): Promise<void> {
  await transferFile({
    name: `${wheel.project} ${wheel.version}`,
    url,
    path,
    sizeBytes: wheel.sizeBytes,
    digest: { kind: 'sha256', hex: wheel.sha256 },
    folderVariable: 'BYTEIFY_HOME',
    fetch: retryingFetch(sleep && { sleep }),
    idleAttempts: IDLE_ATTEMPTS,
    ...(sleep && { sleep }),
    ...(signal && { signal }),
    onBytes,
    refuse: ({ status }) => new ByteifyError(`${wheel.project} could not be downloaded: the index answered ${status}.`),
    mismatch: () => wrongDigest(wheel),
  });
}

async function takeFromPip(wheel: PinnedWheel, path: string, python: string, signal?: AbortSignal): Promise<void> {
  const folder = `${path}.pip`;
  try {
    const downloaded = await downloadWithPip(wheel, folder, python, signal);
    if ((await digestOfFile(downloaded)) !== wheel.sha256) throw wrongDigest(wheel);
    await rename(downloaded, path);
    await rm(partPath(path), { force: true });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Downloads a wheel to `path`. An interrupted download resumes where it stopped, even in a later process. If the index sends nothing on a
 * direct request, because of a proxy or credentials, pip downloads the wheel.
 * @throws ByteifyError when the bytes do not match the pinned digest, the network keeps failing or the disk is full; the signal's reason.
 */
export async function fetchWheel(
  wheel: PinnedWheel,
  path: string,
  python: string,
  options: FetchOptions = {},
): Promise<void> {
  const { onProgress, signal } = options;
  const { project, sizeBytes } = wheel;
  if ((await sizeOnDisk(path)) === sizeBytes && (await digestOfFile(path)) === wheel.sha256) return;
  const url = await wheelUrl(wheel, python);
  let hasArrived = false;
  const onBytes = (doneBytes: number) => {
    hasArrived = true;
    onProgress?.({ project, doneBytes, totalBytes: sizeBytes });
  };
  try {
    await transferWheel(wheel, path, url, { ...options, onBytes });
  } catch (error) {
    if (hasArrived || signal?.aborted) throw error;
    await takeFromPip(wheel, path, python, signal).catch((cause: unknown) => {
      if (cause instanceof ByteifyError || signal?.aborted) throw cause;
      throw new ByteifyError(messageOf(error), {
        hint: 'pip could not download it either. Check the network and the proxy, or pass --libtensorflow DIR with a copy.',
        cause: error,
      });
    });
  }
}
