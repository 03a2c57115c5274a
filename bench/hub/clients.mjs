// The clients that are compared, each run in a process of its own with nothing of this one's hub settings.
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const python = execFileSync('bash', [here('../../scripts/peers-env.sh')], { encoding: 'utf8' }).trim();

/** `[command, ...arguments]`, to which the model is added. */
export const CLIENTS = {
  ours: [process.execPath, here('ours.mjs')],
  '@huggingface/hub': [process.execPath, here('huggingface-js.mjs')],
  'huggingface_hub (Python)': [python, here('python.py')],
};

/** The versions that were measured. */
export function versions() {
  const { version } = JSON.parse(readFileSync(here('../../node_modules/@huggingface/hub/package.json'), 'utf8'));
  const ask = 'import huggingface_hub; print(huggingface_hub.__version__)';
  return {
    node: process.version,
    '@huggingface/hub': version,
    huggingface_hub: execFileSync(python, ['-c', ask], { encoding: 'utf8' }).trim(),
  };
}

/**
 * Starts a client. Python's is told to leave Xet alone: the loopback hub has none, and so compares plain downloads.
 * @returns its process, and how it ended: its exit code (null when it was stopped), its report, what it said.
 */
export function startClient(client, { model, endpoint, home }) {
  const [command, ...args] = CLIENTS[client];
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(HF|HUGGING|XDG)_?/.test(name)));
  const child = spawn(command, [...args, model], {
    env: {
      ...env,
      HF_ENDPOINT: endpoint,
      HF_HOME: home,
      HF_HUB_DISABLE_XET: '1',
      HF_HUB_DISABLE_PROGRESS_BARS: '1',
      HF_HUB_DISABLE_TELEMETRY: '1',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => (stdout += chunk));
  child.stderr.on('data', (chunk) => (stderr += chunk));
  const ended = new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      if (code !== 0) return resolve({ code, report: null, stderr });
      resolve({ code, report: JSON.parse(stdout.trim().split('\n').at(-1)), stderr });
    });
  });
  return { child, ended };
}
