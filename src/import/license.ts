/** @module Reads the licence that a model's card names. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { licenceNameOf, readCard } from '../release/index.js';

/** The `license` in the front matter of the model card (`license_name` if that is `other`), or null if there is none. */
export async function licenseOf(folder: string): Promise<string | null> {
  return licenceNameOf(readCard(await readFile(join(folder, 'README.md'), 'utf8').catch(() => '')).front);
}
