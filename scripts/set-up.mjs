// Sets up a fresh checkout: installs the packages, builds, and downloads the engine's libraries. Packages and libraries that exist are
// kept.
import { existsSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { run } from './run.mjs';

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

/** Whether node_modules is newer than the lock file. */
function isInstalled() {
  const installed = at('node_modules/.package-lock.json');
  return existsSync(installed) && statSync(installed).mtimeMs >= statSync(at('package-lock.json')).mtimeMs;
}

export function setUp() {
  // Not `npm ci`, which fails if the registry lacks optional packages for other platforms.
  if (!isInstalled()) run('npm', ['install', '--no-save', '--no-audit', '--no-fund']);
  run('npm', ['run', '--silent', 'build']);
  // An installed engine is kept, including the user's own libraries.
  run(process.execPath, ['dist/cli.js', 'setup', '--if-missing']);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) setUp();
