// What a bare checkout needs before anything runs: packages, the build, the engine's libraries. Each is skipped when it is there.
import { existsSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { run } from './run.mjs';

const at = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));

/** node_modules is as new as the lock file says it must be. */
function isInstalled() {
  const installed = at('node_modules/.package-lock.json');
  return existsSync(installed) && statSync(installed).mtimeMs >= statSync(at('package-lock.json')).mtimeMs;
}

export function setUp() {
  // Not `npm ci`: it refuses a lock file without the optional packages of platforms that this machine's registry does not carry.
  if (!isInstalled()) run('npm', ['install', '--no-save', '--no-audit', '--no-fund']);
  run('npm', ['run', '--silent', 'build']);
  // Whichever engine is here, the user's own libraries or the CUDA build, is left as it is.
  run(process.execPath, ['dist/cli.js', 'setup', '--if-missing']);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) setUp();
