/** The Python environment of the peer tests (scripts/peers-env.sh makes it). */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const PEERS = fileURLToPath(new URL('../peers', import.meta.url));

let told = false;

/**
 * The interpreter, or null with one printed reason: then tests that need it are skipped.
 * With BYTEIFY_PEERS_REQUIRED=1, as in .ci/run, its absence is an error instead.
 */
export function peersPython(): string | null {
  const python = process.env.BYTEIFY_PEERS_PYTHON;
  if (python) return python;
  if (process.env.BYTEIFY_PEERS_REQUIRED === '1') throw new Error('BYTEIFY_PEERS_PYTHON is not set');
  if (!told)
    console.warn('peer tests are skipped: set BYTEIFY_PEERS_PYTHON="$(bash scripts/peers-env.sh)" to run them');
  told = true;
  return null;
}

/** Runs `test/peers/<script>` and parses the one JSON document it prints. */
export async function askPeer<T>(
  script: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<T> {
  const python = peersPython();
  if (python === null) throw new Error('there is no peer to ask');
  const options = {
    maxBuffer: 256 * 2 ** 20,
    env: { ...process.env, HF_HUB_OFFLINE: '1', TRANSFORMERS_VERBOSITY: 'error', OMP_NUM_THREADS: '2', ...env },
  };
  const { stdout } = await run(python, [`${PEERS}/${script}`, ...args], options);
  return JSON.parse(stdout) as T;
}
