// What the benchmarks on SmolLM2's real weights share: options, the command line, and the text for training and evaluation.
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openLargeCorpus } from '../corpus/open.mjs';
import { misuse } from '../misuse.mjs';
import { openCorpus } from './corpus.mjs';

const CLI = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));

/** The shared options, for `parseArgs`. */
export const OPTIONS = /** @type {const} */ ({
  source: { type: 'string', multiple: false },
  work: { type: 'string', multiple: false, default: join(tmpdir(), 'byteify-bench-smollm2') },
  out: { type: 'string', multiple: false },
  corpus: { type: 'string', multiple: false, default: 'small' },
});

/** Where the training text comes from. Both are evaluated on the same text, which neither has. */
const CORPORA = {
  small: (work) => openCorpus(work, 'corpus'),
  large: openLargeCorpus,
};

export const CORPUS_NAMES = Object.keys(CORPORA);

/** Of each kind of unseen text. */
const UNSEEN_BYTES = '131072';

/** An arm's name in reports. Results of the small corpus were published before there was another one. */
export const nameWith = (arm, corpus) => (corpus === 'small' ? arm : `${arm}, ${corpus} corpus`);

/** @param {string[]} args @param {'inherit' | 'pipe'} stdout @returns what the command printed, if piped */
const run = (args, stdout) =>
  execFileSync(process.execPath, [CLI, ...args], {
    stdio: ['ignore', stdout, 'inherit'],
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });

/** The kinds of text that the suite `bpb` measured. */
const kindsOf = ({ groups }) =>
  groups
    .filter(({ group }) => group !== 'all')
    .map(({ group, metrics: { bits_per_byte: bits, bytes_per_step: perStep } }) => ({
      kind: group,
      bits_per_byte: bits.model.value,
      bytes_per_patch: perStep.model.value,
      source: { bits_per_byte: bits.source.value, bytes_per_token: perStep.source.value },
      retention: bits.retention.value,
    }));

/**
 * Downloads the text into `work` unless it exists. Exits with 2 if `--source` is missing or `--corpus` is unknown.
 * @param {{ source?: string, work?: string, corpus?: string }} options
 */
export function openSession({ source, work, corpus }) {
  if (source === undefined) misuse('--source FILE is required: the GGUF that the README names');
  if (!(corpus in CORPORA)) misuse(`unknown corpus ${corpus}; the corpora are: ${CORPUS_NAMES.join(', ')}`);
  mkdirSync(work, { recursive: true });
  const unseen = openCorpus(work, 'unseen');
  return {
    corpus: CORPORA[corpus](work),
    unseen,
    byteify: (...args) => run(args, 'inherit'),
    /** Evaluates a conversion and its source on text that neither the conversion nor its patcher was trained on, by kind of text. */
    evaluateAgainstSource: (dir) =>
      kindsOf(
        JSON.parse(
          run(
            [
              'evaluate',
              dir,
              '--data',
              ...unseen.folders,
              '--against',
              'source',
              '--max-bytes',
              UNSEEN_BYTES,
              '--json',
            ],
            'pipe',
          ),
        ).suites[0],
      ),
    /** Evaluates the patcher of a conversion on text that it was not trained on, by kind of text. */
    evaluatePatcher: (dir) =>
      JSON.parse(run(['patcher', 'evaluate', dir, '--data', ...unseen.folders, '--json'], 'pipe')).kinds,
  };
}
