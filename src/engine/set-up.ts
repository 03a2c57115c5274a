/**
 * @module Sets up the engine: downloads, verifies and unpacks the pinned libraries into the shared cache, or uses a folder of the user's.
 * The chosen libraries are tested before the choice takes effect.
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
  /** Download the CUDA build, which also runs without a GPU. */
  readonly gpu?: boolean;
  /** Use the libraries in this folder and download nothing. */
  readonly libtensorflow?: string;
  /** Accept any engine that is already installed. It is tested if it was not tested before. */
  readonly ifMissing?: boolean;
  /** Called when the libraries are in place, before they are tested. */
  readonly onTry?: (location: EngineLocation) => void;
  /** Throws when the libraries do not compute; by default `selfTest`. */
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
  throw new ByteifyError('Python with pip was not found; byteify uses it to download the engine’s libraries.', {
    hint: 'Install Python 3 with pip, or pass --libtensorflow DIR with a copy of the two libraries.',
  });
}

/** Allows one set-up at a time: two would write to the same partial download. */
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
    throw new UsageError(`${absolute} does not contain ${LIBRARY_FILES.join(' and ')}.`, {
      hint: 'Both are in the `tensorflow` folder of an installed tensorflow or tensorflow-cpu wheel.',
    });
  }
  return { folder: absolute, version: 'unknown', build: 'own' };
}

const librariesOf = (build: Build) => join(buildFolder(build), 'tensorflow');

/** The pinned build, downloaded if it is missing. The CUDA build also serves as the CPU build. */
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
 * Makes the engine ready. Returns where it is and the results of its self-test. Complete libraries are not downloaded again. The user's
 * choice of libraries is recorded, or a previous choice forgotten, only after the new ones have passed the test.
 * @throws UsageError when --libtensorflow names a folder without the libraries; ByteifyError on machines without pinned libraries, when
 * they cannot be downloaded or verified, when they do not compute, or while another process sets up.
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
