// Processes of one training, each on its share of a core, as launchers start them.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
export const HOST = '127.0.0.1';

/**
 * @typedef {{ rank: number, child: import('node:child_process').ChildProcess, ended: Promise<{ code: number | null, signal: string | null, at: number }>,
 *   said: () => string }} Started
 */

/**
 * Starts the processes of `byteify ARGS`.
 * @param {readonly string[]} args
 * @param {{ processes: number, port: number, envOf?: (rank: number) => Record<string, string>, core?: number }} options `core` is that of the first process; the others have the next ones, and after the last the first again
 * @returns {Started[]}
 */
export function startGroup(args, { processes, port, envOf = () => ({}), core }) {
  const cores = availableParallelism();
  return Array.from({ length: processes }, (_, rank) => {
    const variables = {
      ...{ RANK: `${rank}`, WORLD_SIZE: `${processes}`, LOCAL_WORLD_SIZE: `${processes}` },
      ...{ MASTER_ADDR: HOST, MASTER_PORT: `${port}`, NO_COLOR: '1' },
    };
    const command = [process.execPath, CLI, ...args];
    const [program, ...words] =
      core === undefined ? command : ['taskset', '-c', `${(core + rank) % cores}`, ...command];
    const child = spawn(program, words, {
      env: { ...process.env, ...variables, ...envOf(rank) },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let text = '';
    child.stderr.on('data', (some) => {
      text += some;
    });
    const ended = new Promise((resolve) =>
      child.on('close', (code, signal) => resolve({ code, signal, at: performance.now() })),
    );
    return { rank, child, ended, said: () => text };
  });
}

/** Resolves when a process has said something. @param {Started} started @param {string} text */
export async function untilSaid({ said, ended }, text) {
  let over = false;
  void ended.then(() => {
    over = true;
  });
  while (!said().includes(text)) {
    if (over) throw new Error(`"${text}" was never said:\n${said()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The steps that a run has logged: their number, loss and milliseconds. @param {string} conversion */
export function stepsOf(conversion) {
  const path = join(conversion, 'run', 'metrics.jsonl');
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line.includes('"train_bits_per_byte"'))
    .map((line) => JSON.parse(line))
    .map((entry) => ({
      step: entry.step,
      loss: entry.train_bits_per_byte,
      bytes: entry.bytes,
      ms: (1000 * entry.bytes) / entry.bytes_per_second,
    }));
}

/** Bytes that the loopback interface has sent since the machine started. */
export function loopbackBytes() {
  const line = readFileSync('/proc/net/dev', 'utf8')
    .split('\n')
    .find((some) => some.trim().startsWith('lo:'));
  return Number(line.trim().split(/\s+/)[9]);
}
