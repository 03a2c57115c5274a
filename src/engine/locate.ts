/** @module Locates the installed engine. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { type Build, buildFolder, holdsLibraries, ownLibrariesFile } from './folders.js';
import { TENSORFLOW_VERSION } from './libraries.js';

export interface EngineLocation {
  /** Contains the two libraries. */
  readonly folder: string;
  /** The pinned version, or `unknown` for a copy of the user's own. */
  readonly version: string;
  readonly build: Build | 'own';
}

const ownSchema = z.object({ folder: z.string() });

function ownFolder(): string | null {
  try {
    return ownSchema.parse(JSON.parse(readFileSync(ownLibrariesFile(), 'utf8'))).folder;
  } catch {
    return null;
  }
}

/** Locates the engine's libraries: the user's own copy first, then the GPU build (which also runs without a GPU), then the CPU build. */
export function locateEngine(): EngineLocation | null {
  const own = ownFolder();
  if (own !== null && holdsLibraries(own)) return { folder: own, version: 'unknown', build: 'own' };
  for (const build of ['gpu', 'cpu'] as const) {
    const folder = join(buildFolder(build), 'tensorflow');
    if (holdsLibraries(folder)) return { folder, version: TENSORFLOW_VERSION, build };
  }
  return null;
}
