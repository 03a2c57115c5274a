// Runs commands with the input and output of this process.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Runs a command. @returns its exit code; 130 if a signal ended it */
export function attempt(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (error) throw error;
  return status ?? 130;
}

/** Runs a command and exits with its exit code if it fails. */
export function run(command, args) {
  const code = attempt(command, args);
  if (code !== 0) process.exit(code);
}
