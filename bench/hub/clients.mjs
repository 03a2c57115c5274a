// The clients that are compared. Each runs in a process of its own, without the hub settings of this process.
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { peersPython } from '../process.mjs';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const python = peersPython();

/** `[command, ...arguments]`; the model is the last argument. */
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
 * Starts a client. Xet is disabled in Python's, since the loopback hub does not support it.
 * @returns {{ child: import('node:child_process').ChildProcess, ended: Promise<{ code: number | null, report: any, stderr: string }> }}
 * the process, and how it ended: the exit code is null if it was stopped, the report is null unless it succeeded
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
