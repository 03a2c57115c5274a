/** @module The recorded results of the last self-test, and which libraries they are for. Loads nothing. */
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
// Not from the folder's index, which loads the manifest's schema.
import { writeFileAtomic } from '../../fs/atomic.js';
import { engineHome } from './folders.js';
import { LIBRARY_FILES } from './libraries.js';

const recordSchema = z.object({
  tensorflow: z.string(),
  devices: z.array(z.string()),
  /** Rate of a float32 matrix product of 1024 x 1024, best of several, in GFLOP/s. */
  gflops: z.number().positive(),
  /** Whether oneDNN's kernels are faster than TensorFlow's own; null if there is no clear answer. */
  onednn: z.boolean().nullable().default(null),
  /** Folder, sizes and modification times of the libraries. If other libraries replace them, the record no longer applies. */
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

/** The self-test's results for the libraries in a folder; null when these exact files were never tested, or failed. */
export function selfTestOf(folder: string): SelfTest | null {
  try {
    const { libraries, ...result } = recordSchema.parse(JSON.parse(readFileSync(recordPath(), 'utf8')));
    return JSON.stringify(libraries) === JSON.stringify(librariesIn(folder)) ? result : null;
  } catch {
    return null;
  }
}

/** Writes `self-test.json` to the engine's cache. */
export async function recordSelfTest(folder: string, result: SelfTest): Promise<void> {
  mkdirSync(engineHome(), { recursive: true });
  await writeFileAtomic(recordPath(), `${JSON.stringify({ ...result, libraries: librariesIn(folder) })}\n`);
}
