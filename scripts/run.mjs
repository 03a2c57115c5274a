// Runs a command with this terminal's input and output, and stops with its exit code when it fails.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The command's exit code; a signal counts as 128 + its number would, in one value: 130. */
export function attempt(command, args) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit' });
  if (error) throw error;
  return status ?? 130;
}

export function run(command, args) {
  const code = attempt(command, args);
  if (code !== 0) process.exit(code);
}
