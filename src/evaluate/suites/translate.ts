/** @module Suite `translate`: parallel text, sentence by sentence, after a few examples; chrF and BLEU of what is written, bits of the reference. */
import { basename, extname } from 'node:path';
import { UsageError } from '../../errors.js';
import { bleu, chrF, translationCounts } from './corpus-scores.js';
import { type Item, type Outcome, utf8 } from './item.js';
import { type Counts, LABEL_BITS, type Metric } from './metric.js';
import { numberedLines } from './numbered-lines.js';
import type { Suite, SuiteOptions } from './suite.js';

const SHOTS = 3;
/** A translation may be this many times as long as its source text, and a little more. */
const [MOST_TIMES, MOST_MORE] = [2, 50];

/** Lines of two files with the same number. @throws UsageError if one has more lines, naming the first without its pair, or an empty line */
async function* pairsOf(paths: readonly [string, string]): AsyncGenerator<readonly [string, string]> {
  const [left, right] = [numberedLines(paths[0]), numberedLines(paths[1])];
  for (let number = 1; ; number++) {
    const [a, b] = [await left.next(), await right.next()];
    if (a.done === true && b.done === true) return;
    if (a.done === true || b.done === true) {
      const [longer, shorter] = a.done === true ? [paths[1], paths[0]] : paths;
      throw new UsageError(`${longer} has a line ${number}, but ${shorter} does not.`, {
        hint: 'Parallel files have the same number of lines.',
      });
    }
    if (a.value.line === '' || b.value.line === '') {
      const empty = a.value.line === '' ? paths[0] : paths[1];
      throw new UsageError(`Line ${number} of ${empty} is empty.`, { hint: 'Leave out such pairs in both files.' });
    }
    yield [a.value.line, b.value.line];
  }
}

async function* items({ data, limit, settings }: SuiteOptions): AsyncGenerator<Item> {
  const [from, to, ...others] = data;
  if (from === undefined || to === undefined || others.length > 0)
    throw new UsageError('The suite translate reads two parallel files.', {
      hint: 'Pass --data FROM TO: the same sentences in two languages, one per line.',
    });
  const titles = [settings.from, settings.to].map(
    (name, i) => name || basename([from, to][i]!, extname([from, to][i]!)),
  );
  // The space after it belongs to the answer: tokenizers join it with what follows.
  const asked = (text: string) => `${titles[0]}: ${text}\n${titles[1]}:`;
  const examples: string[] = [];
  let number = 0;
  for await (const [text, reference] of pairsOf([from, to])) {
    if (examples.length < SHOTS) {
      examples.push(`${asked(text)} ${reference}\n\n`);
      continue;
    }
    // The rest is read as well: where a line has no pair, none of the pairs can be trusted.
    if (++number > limit) continue;
    const maxBytes = MOST_TIMES * Buffer.byteLength(text) + MOST_MORE;
    const writing = { maxBytes, stops: [utf8('\n')] };
    const question = {
      shared: utf8(examples.join('')),
      prompt: utf8(asked(text)),
      continuations: [utf8(` ${reference}`)],
    };
    yield { id: `pair ${number}`, groups: [`${titles[0]} to ${titles[1]}`], ...question, answer: 0, writing };
  }
  if (number === 0)
    throw new UsageError(`${from} has no line beyond the ${SHOTS} that are given as examples.`, {
      hint: 'Give more pairs of sentences.',
    });
}

/** A text without the space that separates it from the prompt. */
const withoutSpace = (bytes: Uint8Array) => Buffer.from(bytes).toString().replace(/^ /, '');

function count({ continuations }: Item, { nats, written }: Outcome): Counts {
  const reference = withoutSpace(continuations[0]!);
  const text = withoutSpace(written ?? new Uint8Array());
  return { nats: nats[0]!, bytes: continuations[0]!.length, ...translationCounts(text, reference) };
}

const score = (name: string, title: string, of: Metric['of']): Metric => ({
  name,
  title,
  better: 'higher',
  decimals: 1,
  of,
});

export const translate: Suite = {
  name: 'translate',
  summary: 'translation of parallel text: chrF, BLEU, bits of the reference',
  data: 'two files with the same sentences, one per line',
  settings: { from: '', to: '' },
  items,
  count,
  metrics: [
    score('chrf', 'chrF', chrF),
    score('bleu', 'BLEU', bleu),
    { ...LABEL_BITS, title: 'bits per byte of the reference' },
  ],
  notes: [
    'Words of BLEU are separated by spaces and punctuation: it means little for languages written without spaces.',
  ],
};
