// Pins the newest version of packages.
import { mkdirSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { sha256Of } from '../digest.mjs';
import { download } from './fetch-package.mjs';
import { readPins, writePins } from './pins.mjs';
import { REGISTRIES } from './registries.mjs';

/**
 * @param {import('./packages.mjs').Package[]} packages
 * @param {{ downloads: string, log: (line: string) => void }} options
 */
export function updatePins(packages, { downloads, log }) {
  mkdirSync(downloads, { recursive: true });
  for (const entry of packages) {
    const path = download(entry, null, downloads);
    const file = basename(path);
    const version = REGISTRIES[entry.registry].versionIn(file);
    writePins({ ...readPins(), [entry.name]: { version, file, sha256: sha256Of(path), bytes: statSync(path).size } });
    log(`${entry.name} ${version}`);
  }
}
