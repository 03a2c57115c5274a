/** @module Where the engine's libraries lie. Loads nothing. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { LIBRARY_FILES, TENSORFLOW_VERSION } from './libraries.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** The cache folder that all projects of this user share: BYTEIFY_HOME, else `byteify` in the user's cache folder. */
export function cacheHome(env: Environment = process.env): string {
  return env.BYTEIFY_HOME || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'byteify');
}

/** `engine/` in the cache: the library folders, and `self-test.json` with what the last self-test measured. */
export function engineHome(env: Environment = process.env): string {
  return join(cacheHome(env), 'engine');
}

export type Build = 'cpu' | 'gpu';

/** A home folder may be shared by machines of several kinds, a Mac and its Linux containers for one. */
function machineSuffix(): string {
  const { platform, arch } = process;
  return platform === 'linux' && arch === 'x64' ? '' : `-${platform}-${arch}`;
}

/** The folder that a build is unpacked to; `tensorflow/` inside holds the two libraries. */
export function buildFolder(build: Build, env: Environment = process.env): string {
  return join(engineHome(env), `tensorflow-${TENSORFLOW_VERSION}-${build}${machineSuffix()}`);
}

/** A file that names a folder of the user's own (`byteify setup --libtensorflow DIR`). */
export function ownLibrariesFile(env: Environment = process.env): string {
  return join(engineHome(env), 'libtensorflow.json');
}

/** Whether a folder holds both libraries. */
export function holdsLibraries(folder: string): boolean {
  return LIBRARY_FILES.every((file) => existsSync(join(folder, file)));
}
