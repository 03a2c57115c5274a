/** Runs the built command line in a separate process, as a user does. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

export interface Finished {
  /** Null for a process that a signal has ended. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A running command; `seen` resolves when its stderr contains a text. */
export interface Running {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
  seen(text: string): Promise<void>;
}

export function startCli(
  args: readonly string[],
  options: { env?: Record<string, string>; input?: string } = {},
): Running {
  const child = spawn(process.execPath, [CLI, ...args], {
    env: { ...process.env, NO_COLOR: '1', BYTEIFY_THREADS: '2', ...options.env },
  });
  let [stdout, stderr] = ['', ''];
  const waiting: { text: string; resolve: () => void }[] = [];
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
    for (const { resolve } of waiting.filter(({ text }) => stderr.includes(text))) resolve();
  });
  child.stdin.end(options.input ?? '');
  const finished = new Promise<Finished>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  const seen = (text: string) =>
    new Promise<void>((resolve, reject) => {
      if (stderr.includes(text)) return resolve();
      waiting.push({ text, resolve });
      finished.then(() => reject(new Error(`"${text}" was never printed:\n${stderr}`)), reject);
    });
  return { child, finished, seen };
}

export function runCli(
  args: readonly string[],
  options?: { env?: Record<string, string>; input?: string },
): Promise<Finished> {
  return startCli(args, options).finished;
}
