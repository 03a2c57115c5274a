/** @module Downloads one pinned wheel from the package index that pip is configured for: resumable, verified before it gets its name. */
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
  /** Waits between attempts; a timer unless told. */
  readonly sleep?: (ms: number, signal?: AbortSignal) => Promise<unknown>;
}

/** How often a connection may break without a new byte before it is given up. */
const IDLE_ATTEMPTS = 5;
const FIRST_WAIT_MS = 1000;

/** Doubling, with half of it left to chance so that many clients do not come back at once. */
const backoffMs = (attempt: number) => FIRST_WAIT_MS * 2 ** (attempt - 1) * (0.5 + Math.random() / 2);

const sleepMs: NonNullable<FetchOptions['sleep']> = (ms, signal) => wait(ms, undefined, signal && { signal });

const requirementOf = ({ project, version }: PinnedWheel) => `${project}==${version}`;

const picks = ({ platform, pythonVersion }: PinnedWheel) => [
  '--only-binary=:all:',
  '--platform',
  platform,
  '--python-version',
  pythonVersion,
  '--no-deps',
  '--quiet',
];

/**
 * Asks pip where a wheel lies. pip knows the user's index and mirror; its own download cannot be resumed.
 * @throws ByteifyError when pip is absent or does not find the wheel.
 */
export async function wheelUrl(wheel: PinnedWheel, python: string): Promise<string> {
  // --target is what lets pip resolve for another platform; a dry run writes nothing there.
  const dry = ['--dry-run', '--ignore-installed', '--target', 'unused', '--report', '-'];
  try {
    const { stdout } = await run(python, ['-m', 'pip', 'install', ...dry, ...picks(wheel), requirementOf(wheel)], {
      maxBuffer: 64 * 2 ** 20,
    });
    const report = JSON.parse(stdout) as { install: { download_info: { url: string } }[] };
    return report.install[0]!.download_info.url;
  } catch (error) {
    throw new ByteifyError(`pip could not find ${requirementOf(wheel)} for ${wheel.platform}.`, {
      hint: 'Check `python3 -m pip --version` (22.2 or newer) and the network, or pass --libtensorflow DIR with a copy at hand.',
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

/** The server will not give the file, however often it is asked. */
class RefusedError extends Error {}

/** 408 and 429 ask for patience. */
const isRefusal = (status: number) => status >= 400 && status < 500 && status !== 408 && status !== 429;

/** Fetches bytes from where `partial` ends. */
async function resume(url: string, partial: string, wheel: PinnedWheel, options: FetchOptions): Promise<void> {
  let done = await sizeOf(partial);
  if (done >= wheel.sizeBytes) return;
  const response = await fetch(url, {
    // A compressed answer would have another length than the file.
    headers: { 'accept-encoding': 'identity', ...(done > 0 && { range: `bytes=${done}-` }) },
    ...(options.signal && { signal: options.signal }),
  });
  const says = `the index answered ${response.status}`;
  if (isRefusal(response.status)) throw new RefusedError(says);
  if (!response.ok || response.body === null) throw new Error(says);
  if (response.status !== 206) done = 0; // the server does not do ranges: start over
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

/** Requests until the wheel is there, or nothing more comes. */
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

/** What pip can do and a plain request cannot: proxies, and indexes that want credentials, which pip does not tell. */
async function downloadWithPip(
  wheel: PinnedWheel,
  partial: string,
  python: string,
  signal?: AbortSignal,
): Promise<void> {
  const folder = `${partial}.pip`;
  try {
    const args = ['-m', 'pip', 'download', ...picks(wheel), '--dest', folder, requirementOf(wheel)];
    await run(python, args, signal && { signal });
    const name = (await readdir(folder)).find((file) => file.endsWith('.whl'));
    if (name === undefined) throw new Error('pip brought no wheel');
    await rename(join(folder, name), partial);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** fetch hides the reason in its error's cause. */
const reasonOf = (error: unknown) => messageOf((error as { cause?: unknown }).cause ?? error);

async function bring(wheel: PinnedWheel, partial: string, python: string, options: FetchOptions): Promise<void> {
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
 * Brings a wheel to `path`. An interrupted download goes on where it stopped, also in a later process. Where the index cannot be asked
 * directly, for a proxy or credentials, pip downloads.
 * @throws ByteifyError when the bytes are not the pinned ones, or the network fails for good; the signal's reason.
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
  await bring(wheel, partial, python, options);
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
