/** @module Pre-tokenizers: how a tokenizer splits a text into the words that its model encodes, as in the Rust library. */
import { z } from 'zod';
import { byteCharacters } from '../byte-characters.js';
import { type PartReader, part, readPart } from './parts.js';
import { compilePattern, patternSchema, type Span, spansOf } from './patterns.js';
import type { Refuse } from './refusal.js';
import { BEHAVIOR_NAMES, BEHAVIORS } from './split-behaviors.js';

/** Splits a word. @param isFirst whether the word is at the start of the whole text. */
export type PreTokenizer = (word: string, isFirst: boolean) => readonly string[];

/** GPT-2's words: the library's expression with Unicode's definition of a space, from which JavaScript's \s differs in two characters. */
const GPT2_WORDS =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;
const SPACE = /\p{White_Space}/gu;
/** Runs of characters that Oniguruma's \w matches, or of characters that neither \w nor \s matches. */
const WORDS = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}]+|[^\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{White_Space}]+/gu;
const NUMBER = /\p{N}/gu;
const PUNCTUATION = /[\p{P}$+<=>^`|~]/gu;

const isolated = (pattern: RegExp) => (word: string) => BEHAVIORS.Isolated(spansOf(word, pattern));
const removed = (pattern: RegExp) => (word: string) => BEHAVIORS.Removed(spansOf(word, pattern));
const inverted = (spans: readonly Span[]): Span[] => spans.map(({ text, isMatch }) => ({ text, isMatch: !isMatch }));

const inSequence = (steps: readonly PreTokenizer[]): PreTokenizer => {
  return (word, isFirst) =>
    steps.reduce<readonly string[]>(
      (parts, step) => parts.flatMap((one, i) => step(one, isFirst && i === 0)).filter((one) => one !== ''),
      [word],
    );
};

const byteLevelSchema = z.object({ add_prefix_space: z.boolean().default(true), use_regex: z.boolean().default(true) });

const byteLevel = ({ add_prefix_space: prefixed, use_regex: cuts }: z.infer<typeof byteLevelSchema>): PreTokenizer => {
  const words = cuts ? isolated(GPT2_WORDS) : (word: string) => [word];
  return (word) => words(prefixed && !word.startsWith(' ') ? ` ${word}` : word).map(byteCharacters);
};

const metaspaceSchema = z.object({
  replacement: z.literal('▁', { error: 'only ▁ is supported as the replacement of a space' }),
  add_prefix_space: z.boolean().nullish(),
  prepend_scheme: z.enum(['first', 'never', 'always']).nullish(),
  split: z.boolean().nullish(),
});

const metaspace = (fields: z.infer<typeof metaspaceSchema>): PreTokenizer => {
  const { replacement, add_prefix_space: prefixed, prepend_scheme: scheme, split } = fields;
  const prepends = scheme ?? (prefixed === false ? 'never' : 'always');
  const spaces = new RegExp(replacement, 'gu');
  return (word, isFirst) => {
    const spelled = word.replaceAll(' ', replacement);
    const isPrepended =
      !spelled.startsWith(replacement) && (prepends === 'always' || (prepends === 'first' && isFirst));
    const text = isPrepended ? replacement + spelled : spelled;
    return split === false ? [text] : BEHAVIORS.MergedWithNext(spansOf(text, spaces));
  };
};

const splitSchema = z.object({ pattern: patternSchema, behavior: z.enum(BEHAVIOR_NAMES), invert: z.boolean() });

const split = ({ pattern, behavior, invert }: z.infer<typeof splitSchema>, refuse: Refuse): PreTokenizer => {
  const compiled = compilePattern(pattern, refuse);
  return (word) => {
    const spans = spansOf(word, compiled);
    return BEHAVIORS[behavior](invert ? inverted(spans) : spans);
  };
};

const fixedLength = ({ length }: { length: number }): PreTokenizer => {
  return (word) => {
    const characters = Array.from(word);
    const count = Math.ceil(characters.length / length);
    return Array.from({ length: count }, (_, i) => characters.slice(i * length, (i + 1) * length).join(''));
  };
};

const nothing = z.object({});

const PRE_TOKENIZERS: ReadonlyMap<string, PartReader<PreTokenizer>> = new Map<string, PartReader<PreTokenizer>>([
  ['ByteLevel', part(byteLevelSchema, byteLevel)],
  ['Metaspace', part(metaspaceSchema, metaspace)],
  ['Split', part(splitSchema, split)],
  [
    'Digits',
    part(z.object({ individual_digits: z.boolean().default(false) }), ({ individual_digits: individual }) => {
      const behavior = individual ? BEHAVIORS.Isolated : BEHAVIORS.Contiguous;
      return (word) => behavior(spansOf(word, NUMBER));
    }),
  ],
  [
    'Punctuation',
    part(z.object({ behavior: z.enum(BEHAVIOR_NAMES).default('Isolated') }), ({ behavior }) => {
      return (word) => BEHAVIORS[behavior](spansOf(word, PUNCTUATION));
    }),
  ],
  [
    'CharDelimiterSplit',
    part(
      z.object({ delimiter: z.string().min(1).max(2) }),
      ({ delimiter }) =>
        (word) =>
          word.split(delimiter),
    ),
  ],
  ['Whitespace', part(nothing, () => (word) => word.match(WORDS) ?? [])],
  ['WhitespaceSplit', part(nothing, () => removed(SPACE))],
  ['BertPreTokenizer', part(nothing, () => inSequence([removed(SPACE), isolated(PUNCTUATION)]))],
  ['FixedLength', part(z.object({ length: z.int().min(1) }), fixedLength)],
  [
    'Sequence',
    part(z.object({ pretokenizers: z.array(z.unknown()) }), ({ pretokenizers }, refuse) =>
      inSequence(pretokenizers.map((config) => readPart(PRE_TOKENIZERS, 'pre-tokenizer', config, refuse))),
    ),
  ],
]);

/**
 * @param config the `pre_tokenizer` of a tokenizer.json. @returns a function that returns no empty words.
 * @throws ByteifyError through `refuse` for one that is not supported.
 */
export function readPreTokenizer(config: unknown, refuse: Refuse): PreTokenizer {
  if (config === null || config === undefined) return (word) => [word];
  return inSequence([readPart(PRE_TOKENIZERS, 'pre-tokenizer', config, refuse)]);
}
