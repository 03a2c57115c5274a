/** @module Suite `patches`: where the model cuts text, by kind of file and by script, beside the tokens of its source. */
import { BYTES_PER_STEP, fraction, type Metric, ratio } from './metric.js';
import { estimateDocuments } from './patch-counts.js';
import type { DirectSuite } from './suite.js';

/** Scripts that are told apart; other text is `other`. */
const SCRIPTS = [
  ...[
    'Latin',
    'Cyrillic',
    'Greek',
    'Arabic',
    'Hebrew',
    'Devanagari',
    'Bengali',
    'Tamil',
    'Thai',
    'Georgian',
    'Armenian',
  ],
  ...['Hangul', 'Hiragana', 'Katakana', 'Han', 'Ethiopic', 'Khmer'],
].map((name) => ({ name, pattern: new RegExp(`\\p{Script=${name}}`, 'gu') }));

/** The script of most of a text's letters. Japanese is recognised by its kana, whatever the number of Han characters. */
export function scriptOf(text: string): string {
  const counted = SCRIPTS.map(({ name, pattern }) => ({ name, letters: text.match(pattern)?.length ?? 0 }));
  const kana = counted.filter(({ name }) => name === 'Hiragana' || name === 'Katakana');
  const letters = counted.reduce((sum, one) => sum + one.letters, 0);
  if (letters === 0) return 'other';
  if (kana.reduce((sum, one) => sum + one.letters, 0) > letters / 10) return 'Japanese';
  return counted.reduce((most, one) => (one.letters > most.letters ? one : most)).name;
}

const share = (name: string, title: string, of: string, over: string, better: Metric['better']): Metric => ({
  ...fraction(name, title, better),
  of: (sums) => ratio(sums[of], sums[over]),
});

const METRICS: readonly Metric[] = [
  BYTES_PER_STEP,
  {
    name: 'characters_per_step',
    title: 'characters per patch (source: per token)',
    better: 'higher',
    decimals: 2,
    of: (sums) => ratio(sums.characters, sums.steps),
  },
  {
    name: 'patches_per_token',
    title: 'patches per token of the source',
    better: 'neither',
    decimals: 3,
    of: (sums) => ratio(sums.steps, sums.tokens),
  },
  share('inside_character_cuts', 'cuts inside a character', 'cuts_inside_characters', 'cuts', 'lower'),
  share('cut_precision', 'cuts where a token ends', 'shared_cuts', 'cuts', 'neither'),
  share('cut_recall', 'token ends with a cut', 'shared_cuts', 'token_cuts', 'neither'),
];

export const patches: DirectSuite = {
  name: 'patches',
  summary: 'bytes per patch by kind of text and script, cuts inside characters, agreement with the source’s tokens',
  data: 'text: files and folders, each one kind',
  dataIsOptional: true,
  measure: (options, models) =>
    estimateDocuments(options, models, METRICS, ({ kind, isText, text, counts, tokens }) => ({
      groups: isText ? [kind, `script: ${scriptOf(Buffer.from(text).toString())}`] : [kind],
      model: counts,
      source: tokens,
    })),
  notes: [
    'What a language costs beside others is in the characters per patch of the rows, of the model and of the source’s tokenizer; patches per token say where the model takes more steps of the large transformer than the source.',
  ],
};
