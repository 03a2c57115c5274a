// Shared by the benchmarks against other implementations: processes that answer line by line, so that implementations alternate in one run,
// and the Python interpreter of the peer tests.
import { execFileSync, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { hugePageEnvironment, hugePageMode } from '../dist/engine/huge-pages.js';

/** The interpreter in BYTEIFY_PEERS_PYTHON, or else the one that scripts/peers-env.sh creates. Exits with 2 if there is none. */
export function peersPython() {
  if (process.env.BYTEIFY_PEERS_PYTHON) return process.env.BYTEIFY_PEERS_PYTHON;
  try {
    const script = fileURLToPath(new URL('../scripts/peers-env.sh', import.meta.url));
    return execFileSync('bash', [script], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim();
  } catch {
    process.stderr.write(
      'error: the Python environment of the peer tests could not be created.\nhint: set BYTEIFY_PEERS_PYTHON to an interpreter with its packages.\n',
    );
    process.exit(2);
  }
}

/**
 * Starts a process that prints READY and then answers each line with a JSON document. Null if it ended before it was ready.
 * @param {object} options
 * @param {number} options.threads
 * @param {boolean} [options.largePages] byteify's processes have them by default, as the command line gives them to itself
 */
export async function openProcess(command, args, { threads, largePages = command === process.execPath }) {
  const env = {
    ...process.env,
    ...(largePages && hugePageEnvironment(process.env, hugePageMode())),
    OMP_NUM_THREADS: String(threads),
    HF_HUB_OFFLINE: '1',
    TRANSFORMERS_VERBOSITY: 'error',
    TQDM_DISABLE: '1',
  };
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], env });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const begun = performance.now();
  let line = await lines.next();
  while (!line.done && line.value !== 'READY') line = await lines.next();
  if (line.done) return null;
  return {
    startMs: performance.now() - begun,
    /** The answer to a line; null if the process ended. */
    async ask(line) {
      child.stdin.write(`${line}\n`);
      const { done, value } = await lines.next();
      return done ? null : JSON.parse(value);
    },
    async close() {
      child.stdin.end();
      if (child.exitCode === null && child.signalCode === null)
        await new Promise((resolve) => child.once('close', resolve));
    },
  };
}

export const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1];

/** Waits until PyTorch's threads, which spin for a while after their work, are idle. */
export const pause = () => new Promise((resolve) => setTimeout(resolve, 400));
