/** @module Whether something has a name, even where it cannot be opened. */
import { lstatSync } from 'node:fs';

/** True for a link that leads nowhere, too: to be opened and refused for that, not passed over as absent. */
export function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}
