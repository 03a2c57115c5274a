/** @module Locates the installed engine. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { holdsLibraries, ownLibrariesFile, tensorflowFolder } from './folders.js';
import { TENSORFLOW_VERSION } from './libraries.js';

export interface EngineLocation {
  /** Contains the two libraries. */
  readonly folder: string;
  /** The pinned version, or `unknown` for a copy of the user's own. */
  readonly version: string;
  /** The pinned build for CPUs, or the user's own. */
  readonly build: 'cpu' | 'own';
}

const ownSchema = z.object({ folder: z.string() });

function ownFolder(): string | null {
  try {
    return ownSchema.parse(JSON.parse(readFileSync(ownLibrariesFile(), 'utf8'))).folder;
  } catch {
    return null;
  }
}

/** Locates TensorFlow's libraries: the user's own copy first, then the pinned build. */
export function locateEngine(): EngineLocation | null {
  const own = ownFolder();
  if (own !== null && holdsLibraries(own)) return { folder: own, version: 'unknown', build: 'own' };
  const folder = join(tensorflowFolder(), 'tensorflow');
  return holdsLibraries(folder) ? { folder, version: TENSORFLOW_VERSION, build: 'cpu' } : null;
}
