// What the benchmarks on SmolLM2's real weights share: options, the command line, and the text for training and evaluation.
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openCorpus } from './corpus.mjs';

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

/** The shared options, for `parseArgs`. */
export const OPTIONS = /** @type {const} */ ({
  source: { type: 'string', multiple: false },
  work: { type: 'string', multiple: false, default: join(tmpdir(), 'byteify-bench-smollm2') },
  out: { type: 'string', multiple: false },
});

/** @param {string[]} args @param {'inherit' | 'pipe'} stdout @returns what the command printed, if piped */
const run = (args, stdout) =>
  execFileSync(process.execPath, [CLI, ...args], {
    stdio: ['ignore', stdout, 'inherit'],
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });

/**
 * Downloads the text into `work` unless it exists. Exits with 2 if `--source` is missing.
 * @param {{ source?: string, work?: string }} options
 */
export function openSession({ source, work }) {
  if (source === undefined) {
    process.stderr.write('error: --source FILE is required: the GGUF that the README names\n');
    process.exit(2);
  }
  mkdirSync(work, { recursive: true });
  const unseen = openCorpus(work, 'unseen');
  return {
    corpus: openCorpus(work, 'corpus'),
    unseen,
    byteify: (...args) => run(args, 'inherit'),
    /** Evaluates the patcher of a conversion on text that it was not trained on, by kind of text. */
    evaluatePatcher: (dir) =>
      JSON.parse(run(['patcher', 'evaluate', dir, '--data', ...unseen.folders, '--json'], 'pipe')).kinds,
  };
}
