/** @module What the last self-test found, and for which libraries. Loads nothing. */
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
// Not the folder's index, which loads the manifest's schema.
import { writeFileAtomic } from '../fs/atomic.js';
import { engineHome } from './folders.js';
import { LIBRARY_FILES } from './libraries.js';

const recordSchema = z.object({
  tensorflow: z.string(),
  devices: z.array(z.string()),
  /** Rate of a float32 matrix product of 1024 x 1024, best of several, in GFLOP/s. */
  gflops: z.number().positive(),
  /** Where the libraries lay, and their sizes and times: others in their place are not tried yet. */
  libraries: z.object({
    folder: z.string(),
    files: z.array(z.object({ size_bytes: z.number(), modified_ms: z.number() })),
  }),
});

type Libraries = Readonly<z.output<typeof recordSchema>['libraries']>;
export type SelfTest = Readonly<Omit<z.output<typeof recordSchema>, 'libraries'>>;

const recordPath = () => join(engineHome(), 'self-test.json');

function librariesIn(folder: string): Libraries {
  const files = LIBRARY_FILES.map((file) => {
    const { size, mtimeMs } = statSync(join(folder, file));
    return { size_bytes: size, modified_ms: mtimeMs };
  });
  return { folder, files };
}

/** What the self-test of the libraries in a folder found; null when these very files were never tried, or failed. */
export function selfTestOf(folder: string): SelfTest | null {
  try {
    const { libraries, ...result } = recordSchema.parse(JSON.parse(readFileSync(recordPath(), 'utf8')));
    return JSON.stringify(libraries) === JSON.stringify(librariesIn(folder)) ? result : null;
  } catch {
    return null;
  }
}

/** Leaves `self-test.json` in the engine's cache. */
export async function recordSelfTest(folder: string, result: SelfTest): Promise<void> {
  mkdirSync(engineHome(), { recursive: true });
  await writeFileAtomic(recordPath(), `${JSON.stringify({ ...result, libraries: librariesIn(folder) })}\n`);
}
