/** @module The version of this package, for `--version`, manifests and model cards. */

import { readFileSync } from 'node:fs';

/** As package.json says; it lies beside both `src` and `dist`. */
export function toolVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return version;
}
