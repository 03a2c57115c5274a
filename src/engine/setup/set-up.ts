/**
 * @module Sets up the engine: downloads, verifies and unpacks the pinned libraries into the shared cache, or uses a folder of the user's.
 * The chosen libraries are tested before the choice takes effect.
 */
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { ByteifyError, UsageError } from '../../errors.js';
import { writeFileAtomic } from '../../fs/atomic.js';
import type { FetchOptions } from './fetch-wheel.js';
import { fetchWheels, withSetUpLock } from './fetch-wheels.js';
import { holdsLibraries, ownLibrariesFile, tensorflowFolder } from './folders.js';
import { LIBRARY_FILES, pinnedWheel, TENSORFLOW_VERSION } from './libraries.js';
import { type EngineLocation, locateEngine } from './locate.js';
import { requirePinned, supportOf, thisMachine } from './machine.js';
import { type SelfTest, selfTest } from './self-test.js';
import { selfTestOf } from './self-test-record.js';

export interface SetUpOptions extends FetchOptions {
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

/** The pinned build, downloaded if it is missing. */
async function pinnedLibraries(options: SetUpOptions): Promise<EngineLocation> {
  const folder = join(tensorflowFolder(), 'tensorflow');
  if (!holdsLibraries(folder)) {
    const wheel = pinnedWheel(requirePinned(supportOf(thisMachine())));
    await fetchWheels([wheel], tensorflowFolder(), options);
  }
  return { folder, version: TENSORFLOW_VERSION, build: 'cpu' };
}

/**
 * Makes the engine ready. Returns where it is and the results of its self-test. Complete libraries are not downloaded again. The user's
 * choice of libraries is recorded, or a previous choice forgotten, only after the new ones have passed the test.
 * @throws UsageError when --libtensorflow names a folder without the libraries; ByteifyError on machines without pinned libraries, when
 * they cannot be downloaded or verified, when they do not compute, or while another process sets up.
 */
export async function setUpEngine(options: SetUpOptions = {}): Promise<EngineSetUp> {
  const { libtensorflow, ifMissing = false, onTry, tryOut = selfTest } = options;
  const found = ifMissing ? locateEngine() : null;
  const known = found === null ? null : selfTestOf(found.folder);
  if (found !== null && known !== null) return { ...found, selfTest: known };
  return withSetUpLock(async () => {
    const own = libtensorflow === undefined ? null : ownLibraries(libtensorflow);
    const location = found ?? own ?? (await pinnedLibraries(options));
    onTry?.(location);
    const result = await tryOut(location.folder);
    if (own !== null) await writeFileAtomic(ownLibrariesFile(), `${JSON.stringify({ folder: own.folder })}\n`);
    else if (found === null) await rm(ownLibrariesFile(), { force: true });
    return { ...location, selfTest: result };
  });
}
