/**
 * @module Whether TensorFlow should use oneDNN's kernels on this machine. By itself it does so only on some processors with AVX-512, although
 * oneDNN can be faster on others too. Which is faster is measured once, when the engine is set up.
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** TensorFlow reads this variable when it is loaded. */
export const ONEDNN_VARIABLE = 'TF_ENABLE_ONEDNN_OPTS';

const PROCESS = fileURLToPath(new URL('./onednn-process.js', import.meta.url));
const TIMEOUT_MS = 60_000;
/** Each is measured so often, in turns, and its best time counts. */
const ROUNDS = 2;
/** A smaller difference is noise, and TensorFlow's own choice stays. */
const LEAST_GAIN = 1.04;

/** Milliseconds of a small training step in a process of its own. @throws Error when the process fails */
function timeStep(folder: string, oneDnn: boolean): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = fork(PROCESS, [folder], {
      env: { ...process.env, [ONEDNN_VARIABLE]: oneDnn ? '1' : '0' },
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      timeout: TIMEOUT_MS,
    });
    child.once('message', (ms) => resolve(ms as number));
    child.once('error', reject);
    child.once('exit', (code, signal) => reject(new Error(`ended with ${signal ?? code}`)));
  });
}

/**
 * Measures which is faster.
 * @param folder contains TensorFlow's libraries
 * @returns null if there is no clear answer: on other processors than x86-64, where the user has chosen, or when it cannot be measured
 */
export async function fasterOneDnn(folder: string, time = timeStep): Promise<boolean | null> {
  if (process.arch !== 'x64' || process.env[ONEDNN_VARIABLE] !== undefined) return null;
  try {
    let [without, withIt] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    for (let round = 0; round < ROUNDS; round++) {
      without = Math.min(without, await time(folder, false));
      withIt = Math.min(withIt, await time(folder, true));
    }
    if (without / withIt >= LEAST_GAIN) return true;
    return withIt / without >= LEAST_GAIN ? false : null;
  } catch {
    return null;
  }
}

/** Sets the variable as it was measured. The user's own value takes precedence. */
export function useOneDnn(choice: boolean | null): void {
  if (choice !== null) process.env[ONEDNN_VARIABLE] ??= choice ? '1' : '0';
}
