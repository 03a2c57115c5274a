// What a stage's encoder and decoder lose, as the stage has measured it.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The metrics in the folder of a stage (see measureParts); null if the stage does not measure them. @param {string} run */
export function partsOf(run) {
  const path = join(run, 'parts.json');
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : null;
}
