/**
 * @module Downloads one pinned wheel from the package index that pip is configured for: resumable, and verified before the final rename.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { ByteifyError, messageOf } from '../errors.js';
import type { PinnedWheel } from './libraries.js';

const run = promisify(execFile);

export interface FetchOptions {
  readonly onProgress?: (event: { project: string; doneBytes: number; totalBytes: number }) => void;
  readonly signal?: AbortSignal;
  /** Waits between attempts; by default a timer. */
  readonly sleep?: (ms: number, signal?: AbortSignal) => Promise<unknown>;
}

/** How many times in a row a connection may break without a new byte before the download fails. */
const IDLE_ATTEMPTS = 5;
const FIRST_WAIT_MS = 1000;

/** Doubles at each attempt. Half of it is random, so that many clients do not return at the same time. */
const backoffMs = (attempt: number) => FIRST_WAIT_MS * 2 ** (attempt - 1) * (0.5 + Math.random() / 2);

const sleepMs: NonNullable<FetchOptions['sleep']> = (ms, signal) => wait(ms, undefined, signal && { signal });

const requirementOf = ({ project, version }: PinnedWheel) => `${project}==${version}`;

const wheelSelection = ({ platform, pythonVersion }: PinnedWheel) => [
  '--only-binary=:all:',
  '--platform',
  platform,
  '--python-version',
  pythonVersion,
  '--no-deps',
  '--quiet',
];

/**
 * Asks pip for a wheel's URL. pip knows the user's index and mirror, but its own downloads cannot be resumed.
 * @throws ByteifyError when pip is absent or does not find the wheel.
 */
export async function wheelUrl(wheel: PinnedWheel, python: string): Promise<string> {
  // --target makes pip resolve for another platform; a dry run writes nothing there.
  const dry = ['--dry-run', '--ignore-installed', '--target', 'unused', '--report', '-'];
  try {
    const { stdout } = await run(
      python,
      ['-m', 'pip', 'install', ...dry, ...wheelSelection(wheel), requirementOf(wheel)],
      {
        maxBuffer: 64 * 2 ** 20,
      },
    );
    const report = JSON.parse(stdout) as { install: { download_info: { url: string } }[] };
    return report.install[0]!.download_info.url;
  } catch (error) {
    throw new ByteifyError(`pip could not find ${requirementOf(wheel)} for ${wheel.platform}.`, {
      hint: 'Check `python3 -m pip --version` (22.2 or newer) and the network, or pass --libtensorflow DIR with a local copy.',
      cause: error,
    });
  }
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    (found) => found.size,
    () => 0,
  );
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 2 ** 20 }), hash);
  return hash.digest('hex');
}

/** The server refuses the file, so retrying is pointless. */
class RefusedError extends Error {}

/** 408 and 429 ask the client to retry later. */
const isRefusal = (status: number) => status >= 400 && status < 500 && status !== 408 && status !== 429;

/** Downloads the bytes after the end of `partial`. */
async function resume(url: string, partial: string, wheel: PinnedWheel, options: FetchOptions): Promise<void> {
  let done = await sizeOf(partial);
  if (done >= wheel.sizeBytes) return;
  const response = await fetch(url, {
    // A compressed response would differ in length from the file.
    headers: { 'accept-encoding': 'identity', ...(done > 0 && { range: `bytes=${done}-` }) },
    ...(options.signal && { signal: options.signal }),
  });
  const says = `the index answered ${response.status}`;
  if (isRefusal(response.status)) throw new RefusedError(says);
  if (!response.ok || response.body === null) throw new Error(says);
  if (response.status !== 206) done = 0; // the server does not support ranges: start over
  const counted = async function* (chunks: AsyncIterable<Uint8Array>) {
    for await (const chunk of chunks) {
      done += chunk.length;
      options.onProgress?.({ project: wheel.project, doneBytes: done, totalBytes: wheel.sizeBytes });
      yield chunk;
    }
  };
  const body = Readable.fromWeb(response.body as import('node:stream/web').ReadableStream<Uint8Array>);
  await pipeline(body, counted, createWriteStream(partial, { flags: response.status === 206 ? 'a' : 'w' }));
  if (done < wheel.sizeBytes) throw new Error('the server closed the connection');
}

/** Sends requests until the wheel is complete or no more bytes arrive. */
async function fetchDirectly(url: string, partial: string, wheel: PinnedWheel, options: FetchOptions): Promise<void> {
  const { signal, sleep = sleepMs } = options;
  for (let idle = 0; ; ) {
    const before = await sizeOf(partial);
    try {
      return await resume(url, partial, wheel, options);
    } catch (error) {
      if (signal?.aborted || error instanceof RefusedError) throw error;
      idle = (await sizeOf(partial)) > before ? 1 : idle + 1;
      if (idle === IDLE_ATTEMPTS) throw error;
      await sleep(backoffMs(idle), signal);
    }
  }
}

/** Downloads with pip, which supports proxies and indexes that need credentials; pip does not reveal those for a plain request. */
async function downloadWithPip(
  wheel: PinnedWheel,
  partial: string,
  python: string,
  signal?: AbortSignal,
): Promise<void> {
  const folder = `${partial}.pip`;
  try {
    const args = ['-m', 'pip', 'download', ...wheelSelection(wheel), '--dest', folder, requirementOf(wheel)];
    await run(python, args, signal && { signal });
    const name = (await readdir(folder)).find((file) => file.endsWith('.whl'));
    if (name === undefined) throw new Error('pip downloaded no wheel');
    await rename(join(folder, name), partial);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** fetch hides the reason in its error's cause. */
const reasonOf = (error: unknown) => messageOf((error as { cause?: unknown }).cause ?? error);

async function download(wheel: PinnedWheel, partial: string, python: string, options: FetchOptions): Promise<void> {
  const url = await wheelUrl(wheel, python);
  const before = await sizeOf(partial);
  try {
    return await fetchDirectly(url, partial, wheel, options);
  } catch (error) {
    if (options.signal?.aborted) throw error;
    const failed = (hint: string) =>
      new ByteifyError(`${wheel.project} could not be downloaded: ${reasonOf(error)}.`, { hint, cause: error });
    if ((await sizeOf(partial)) > before) throw failed('Run `byteify setup` again: it resumes where it stopped.');
    await downloadWithPip(wheel, partial, python, options.signal).catch((cause: unknown) => {
      if (options.signal?.aborted) throw cause;
      throw failed('pip could not either. Check the network and the proxy, or pass --libtensorflow DIR with a copy.');
    });
  }
}

/**
 * Downloads a wheel to `path`. An interrupted download resumes where it stopped, even in a later process. If the index cannot be
 * reached directly because of a proxy or credentials, pip downloads the wheel.
 * @throws ByteifyError when the bytes do not match the pinned digest, or the network keeps failing; the signal's reason.
 */
export async function fetchWheel(
  wheel: PinnedWheel,
  path: string,
  python: string,
  options: FetchOptions = {},
): Promise<void> {
  if ((await sizeOf(path)) === wheel.sizeBytes && (await sha256Of(path)) === wheel.sha256) return;
  await mkdir(dirname(path), { recursive: true });
  const partial = `${path}.partial`;
  await download(wheel, partial, python, options);
  const found = await sha256Of(partial);
  if (found !== wheel.sha256) {
    await rm(partial, { force: true });
    throw new ByteifyError(
      `${wheel.project} ${wheel.version} does not have the pinned sha256 (${found}); it was removed.`,
      {
        hint: 'A proxy or mirror may alter downloads. Run `byteify setup` again, or pass --libtensorflow DIR with a copy you trust.',
      },
    );
  }
  await rename(partial, path);
}
