// Runs each check in a process of its own: a process has one engine, and one that dies takes only its own check with it.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { failed } from './verdict.mjs';

const RUN_CHECK = fileURLToPath(new URL('run-check.mjs', import.meta.url));
const TAIL_LINES = 5;

/** What a process said before it died: TensorFlow's own words are the best reason there is. */
const tailOf = (/** @type {string} */ stderr) => stderr.trim().split('\n').slice(-TAIL_LINES).join(' | ');

/**
 * @param {object} said
 * @param {readonly string[]} said.names of the results that are wanted
 * @param {string} said.answer what the process wrote: a line of JSON, after whatever else; empty when it died
 * @param {string} said.stderr @param {string} said.ended how the process ended
 * @returns {import('./verdict.mjs').Result[]} one a name
 */
export function resultsOf({ names, answer, stderr, ended }) {
  const line = answer.trim().split('\n').at(-1) ?? '';
  if (line === '') return names.map((name) => failed(name, [ended, tailOf(stderr)].filter(Boolean).join(': ')));
  const results = JSON.parse(line);
  const all = Array.isArray(results) ? results : names.map((name) => failed(name, results.error));
  return all.map((one) => (one.ok ? one : { ...one, figures: { ...one.figures, stderr: tailOf(stderr) } }));
}

/**
 * @param {string} check a file of checks/ @param {readonly string[]} names of the results it gives
 * @param {object} options handed to it @param {{ env: Record<string, string>, timeoutMs: number }} how
 * @returns {Promise<import('./verdict.mjs').Result[]>} as many as there are names
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
  const ended = late ? `not done after ${timeoutMs / 60_000} minutes` : `its process ended with ${signal ?? code}`;
  return resultsOf({ names, answer: code === 0 ? stdout : '', stderr, ended });
}
