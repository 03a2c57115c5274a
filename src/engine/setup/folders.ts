/** @module Paths of the engine's libraries. Loads nothing. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { LIBRARY_FILES, TENSORFLOW_VERSION } from './libraries.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** The cache folder shared by all of the user's projects: BYTEIFY_HOME, or else `byteify` in the user's cache folder. */
export function cacheHome(env: Environment = process.env): string {
  return env.BYTEIFY_HOME || join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'byteify');
}

/** `engine/` in the cache. It contains the library folders, and `self-test.json` with the results of the last self-test. */
export function engineHome(env: Environment = process.env): string {
  return join(cacheHome(env), 'engine');
}

/** Machines of several kinds can share a home folder, for example a Mac and its Linux containers. */
function machineSuffix(): string {
  const { platform, arch } = process;
  return platform === 'linux' && arch === 'x64' ? '' : `-${platform}-${arch}`;
}

/** The folder that TensorFlow is unpacked to. Its subfolder `tensorflow/` contains the two libraries. */
export function tensorflowFolder(env: Environment = process.env): string {
  return join(engineHome(env), `tensorflow-${TENSORFLOW_VERSION}-cpu${machineSuffix()}`);
}

/** The file that names a folder with the user's own libraries (`byteify setup --libtensorflow DIR`). */
export function ownLibrariesFile(env: Environment = process.env): string {
  return join(engineHome(env), 'libtensorflow.json');
}

/** Whether a folder contains both libraries. */
export function holdsLibraries(folder: string): boolean {
  return LIBRARY_FILES.every((file) => existsSync(join(folder, file)));
}
