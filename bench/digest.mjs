// The sha256 of a file.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** @param {string} path */
export const sha256Of = (path) => createHash('sha256').update(readFileSync(path)).digest('hex');
