/**
 * @module Sets the engine up: fetches, verifies and unpacks the pinned libraries into the shared cache, or takes a folder of the user's. What
 * is chosen is tried before it counts.
 */
import { execFile } from 'node:child_process';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { ByteifyError, messageOf, UsageError } from '../errors.js';
import { writeFileAtomic } from '../fs/atomic.js';
import { lockFolder } from '../fs/lock.js';
import { type FetchOptions, fetchWheel } from './fetch-wheel.js';
import { type Build, buildFolder, engineHome, holdsLibraries, ownLibrariesFile } from './folders.js';
import { LIBRARY_FILES, pinnedWheels, TENSORFLOW_VERSION } from './libraries.js';
import { type EngineLocation, locateEngine } from './locate.js';
import { requirePinned, supportOf, thisMachine } from './machine.js';
import { type SelfTest, selfTest } from './self-test.js';
import { selfTestOf } from './self-test-record.js';
import { unpackWheel } from './unpack-wheel.js';

export interface SetUpOptions extends FetchOptions {
  /** Fetch the CUDA build; it also runs without a GPU. */
  readonly gpu?: boolean;
  /** Use the libraries in this folder and fetch nothing. */
  readonly libtensorflow?: string;
  /** Be content with an engine that is here, whichever it is: it is tried if it was not yet. */
  readonly ifMissing?: boolean;
  /** Called when the libraries are here, before they are tried. */
  readonly onTry?: (location: EngineLocation) => void;
  /** Throws when the libraries do not compute; `selfTest` unless told. */
  readonly tryOut?: (folder: string) => Promise<SelfTest>;
}

export interface EngineSetUp extends EngineLocation {
  readonly selfTest: SelfTest;
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

/** One set-up at a time: two would write into the same partial download. */
async function withLock<T>(work: () => Promise<T>): Promise<T> {
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

function ownLibraries(folder: string): EngineLocation {
  const { ownLibraries: loadable, advice } = supportOf(thisMachine());
  if (!loadable && advice !== null) throw new ByteifyError(advice.reason, { hint: advice.hint });
  const absolute = resolve(folder);
  if (!holdsLibraries(absolute)) {
    throw new UsageError(`${absolute} does not hold ${LIBRARY_FILES.join(' and ')}.`, {
      hint: 'Both lie in the `tensorflow` folder of an installed tensorflow or tensorflow-cpu wheel.',
    });
  }
  return { folder: absolute, version: 'unknown', build: 'own' };
}

const librariesOf = (build: Build) => join(buildFolder(build), 'tensorflow');

/** The pinned build, fetched when it is not here. The CUDA build does for the CPU's, too. */
async function pinnedLibraries(gpu: boolean, options: SetUpOptions): Promise<EngineLocation> {
  const build = gpu || holdsLibraries(librariesOf('gpu')) ? 'gpu' : 'cpu';
  if (!holdsLibraries(librariesOf(build))) await fetchBuild(build, options);
  return { folder: librariesOf(build), version: TENSORFLOW_VERSION, build };
}

async function fetchBuild(build: Build, options: SetUpOptions): Promise<void> {
  const wheels = pinnedWheels(requirePinned(supportOf(thisMachine())), build);
  const python = await findPython();
  const folder = buildFolder(build);
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

/**
 * Makes the engine ready and returns where it lies and what its self-test found. What is there and whole is not fetched again. A choice of
 * the user's own libraries is recorded, or forgotten, only after the new ones have passed.
 * @throws UsageError when --libtensorflow names a folder without the libraries; ByteifyError on machines without pinned libraries, when they
 * cannot be fetched or verified, when they do not compute, or while another process sets up.
 */
export async function setUpEngine(options: SetUpOptions = {}): Promise<EngineSetUp> {
  const { libtensorflow, gpu = false, ifMissing = false, onTry, tryOut = selfTest } = options;
  const found = ifMissing ? locateEngine() : null;
  const known = found === null ? null : selfTestOf(found.folder);
  if (found !== null && known !== null) return { ...found, selfTest: known };
  return withLock(async () => {
    const own = libtensorflow === undefined ? null : ownLibraries(libtensorflow);
    const location = found ?? own ?? (await pinnedLibraries(gpu, options));
    onTry?.(location);
    const result = await tryOut(location.folder);
    if (own !== null) await writeFileAtomic(ownLibrariesFile(), `${JSON.stringify({ folder: own.folder })}\n`);
    else if (found === null) await rm(ownLibrariesFile(), { force: true });
    return { ...location, selfTest: result };
  });
}
