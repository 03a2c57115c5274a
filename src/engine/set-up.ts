/** @module Sets the engine up: fetches, verifies and unpacks the pinned libraries into the shared cache, or adopts a folder of the user's. */
import { execFile } from 'node:child_process';
import { mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { ByteifyError, UsageError } from '../errors.js';
import { type FetchOptions, fetchWheel } from './fetch-wheel.js';
import { buildFolder, engineHome, holdsLibraries, ownLibrariesFile } from './folders.js';
import { CPU_WHEEL, GPU_WHEELS, LIBRARY_FILES } from './libraries.js';
import { type EngineLocation, locateEngine } from './locate.js';
import { unpackWheel } from './unpack-wheel.js';

export interface SetUpOptions extends FetchOptions {
  /** Fetch the CUDA build; it also runs without a GPU. */
  readonly gpu?: boolean;
  /** Use the libraries in this folder and fetch nothing. */
  readonly libtensorflow?: string;
}

const run = promisify(execFile);

async function findPython(): Promise<string> {
  for (const python of ['python3', 'python']) {
    const works = await run(python, ['-m', 'pip', '--version']).then(
      () => true,
      () => false,
    );
    if (works) return python;
  }
  throw new ByteifyError('Python with pip was not found; the engine’s libraries are fetched with it.', {
    hint: 'Install Python 3 with pip, or pass --libtensorflow DIR with a copy of the two libraries.',
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** One set-up at a time: two would write into the same partial download. */
async function withLock<T>(work: () => Promise<T>): Promise<T> {
  const path = join(engineHome(), 'setup.lock');
  await mkdir(engineHome(), { recursive: true });
  const holder = Number(await readFile(path, 'utf8').catch(() => '0'));
  if (holder > 0 && isAlive(holder)) {
    throw new ByteifyError(`Another set-up of the engine is running (process ${holder}).`, {
      hint: 'Wait for it to end.',
    });
  }
  await rm(path, { force: true });
  const file = await open(path, 'wx');
  try {
    await file.writeFile(String(process.pid));
    return await work();
  } finally {
    await file.close();
    await rm(path, { force: true });
  }
}

async function adopt(folder: string): Promise<void> {
  const absolute = resolve(folder);
  if (!holdsLibraries(absolute)) {
    throw new UsageError(`${absolute} does not hold ${LIBRARY_FILES.join(' and ')}.`, {
      hint: 'Both lie in the `tensorflow` folder of an installed tensorflow or tensorflow-cpu wheel.',
    });
  }
  await mkdir(engineHome(), { recursive: true });
  await writeFile(ownLibrariesFile(), `${JSON.stringify({ folder: absolute })}\n`);
}

async function fetchBuild(gpu: boolean, options: SetUpOptions): Promise<void> {
  const folder = buildFolder(gpu ? 'gpu' : 'cpu');
  if (holdsLibraries(join(folder, 'tensorflow'))) return;
  const python = await findPython();
  const unpacked = `${folder}.unpacking`;
  await rm(unpacked, { recursive: true, force: true });
  for (const wheel of gpu ? GPU_WHEELS : [CPU_WHEEL]) {
    const path = join(engineHome(), 'downloads', `${wheel.project}-${wheel.version}.whl`);
    await fetchWheel(wheel, path, python, options);
    await unpackWheel(path, unpacked, wheel.members, python);
  }
  await rename(unpacked, folder);
  await rm(join(engineHome(), 'downloads'), { recursive: true, force: true });
}

/**
 * Makes the engine ready and returns where it lies. What is there and whole is not fetched again.
 * @throws ByteifyError on platforms without pinned libraries, or when they cannot be fetched or verified.
 */
export async function setUpEngine(options: SetUpOptions = {}): Promise<EngineLocation> {
  if (options.libtensorflow !== undefined) {
    await adopt(options.libtensorflow);
  } else {
    if (process.platform !== 'linux' || process.arch !== 'x64') {
      throw new ByteifyError(`There are no pinned libraries for ${process.platform} ${process.arch}.`, {
        hint: 'Linux x64 is supported; elsewhere pass --libtensorflow DIR with libraries for this machine.',
      });
    }
    await rm(ownLibrariesFile(), { force: true });
    await withLock(() => fetchBuild(options.gpu ?? false, options));
  }
  const found = locateEngine();
  if (found === null) throw new ByteifyError(`${basename(engineHome())} holds no libraries after the set-up.`);
  return found;
}
