/** @module Tells whether a path exists, even if it cannot be opened. */
import { lstatSync } from 'node:fs';

/** Also true for a dangling link, so that opening it reports the broken link instead of the path passing for absent. */
export function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}
