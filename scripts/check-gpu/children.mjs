// Runs each check in a process of its own, since a process has one engine and a crash must not end the other checks.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { failed } from './verdict.mjs';

const RUN_CHECK = fileURLToPath(new URL('run-check.mjs', import.meta.url));
const TAIL_LINES = 5;

/** The last lines that a process wrote to stderr: XLA's message usually explains the failure best. */
const tailOf = (/** @type {string} */ stderr) => stderr.trim().split('\n').slice(-TAIL_LINES).join(' | ');

/**
 * @param {object} output
 * @param {readonly string[]} output.names the names of the expected results
 * @param {string} output.answer the process's stdout, whose last line is JSON; empty if it crashed
 * @param {string} output.stderr @param {string} output.ended how the process ended
 * @returns {import('./verdict.mjs').Result[]} one per name
 */
export function resultsOf({ names, answer, stderr, ended }) {
  const line = answer.trim().split('\n').at(-1) ?? '';
  if (line === '') return names.map((name) => failed(name, [ended, tailOf(stderr)].filter(Boolean).join(': ')));
  const results = JSON.parse(line);
  const all = Array.isArray(results) ? results : names.map((name) => failed(name, results.error));
  return all.map((one) => (one.ok ? one : { ...one, figures: { ...one.figures, stderr: tailOf(stderr) } }));
}

/**
 * @param {string} check the name of a file in checks/ @param {readonly string[]} names the names of its results
 * @param {object} options its options @param {{ env: Record<string, string>, timeoutMs: number }} how
 * @returns {Promise<import('./verdict.mjs').Result[]>} one per name
 */
export async function runCheck(check, names, options, { env, timeoutMs }) {
  const child = spawn(process.execPath, [RUN_CHECK, check, JSON.stringify(options)], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  });
  const stop = () => child.kill('SIGKILL');
  process.once('exit', stop);
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk) => {
    stderr += chunk;
  });
  const begun = performance.now();
  const [code, signal] = await new Promise((resolve) => {
    child.once('close', (...ended) => resolve(ended));
  });
  process.off('exit', stop);
  const late = performance.now() - begun >= timeoutMs;
  const ended = late ? `not finished after ${timeoutMs / 60_000} minutes` : `its process ended with ${signal ?? code}`;
  return resultsOf({ names, answer: code === 0 ? stdout : '', stderr, ended });
}
