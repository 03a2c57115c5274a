/** @module The licence that a model's own papers name. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { licenceNameOf, readCard } from '../release/index.js';

/** `license` of the model card's front matter (`license_name` where that is `other`), or null. */
export async function licenseOf(folder: string): Promise<string | null> {
  return licenceNameOf(readCard(await readFile(join(folder, 'README.md'), 'utf8').catch(() => '')).front);
}
