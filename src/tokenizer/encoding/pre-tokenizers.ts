/** @module How a tokenizer cuts a text into the pieces that its model encodes one by one, as the Rust library does. */
import { z } from 'zod';
import { byteCharacters } from '../byte-characters.js';
import { type PartReader, part, readPart } from './parts.js';
import { compilePattern, patternSchema, type Span, spansOf } from './patterns.js';
import type { Refuse } from './refusal.js';
import { BEHAVIOR_NAMES, BEHAVIORS } from './split-behaviors.js';

/** @param isFirst whether the piece begins where the whole text does. */
export type PreTokenizer = (piece: string, isFirst: boolean) => readonly string[];

/** GPT-2's words. The library's expression, in which a space is what Unicode calls one: JavaScript's \s differs in two characters. */
const GPT2_WORDS =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;
const SPACE = /\p{White_Space}/gu;
/** Characters that Oniguruma's \w matches, then those that neither it nor \s does. */
const WORDS = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}]+|[^\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{White_Space}]+/gu;
const NUMBER = /\p{N}/gu;
const PUNCTUATION = /[\p{P}$+<=>^`|~]/gu;

const isolated = (pattern: RegExp) => (piece: string) => BEHAVIORS.Isolated(spansOf(piece, pattern));
const removed = (pattern: RegExp) => (piece: string) => BEHAVIORS.Removed(spansOf(piece, pattern));
const inverted = (spans: readonly Span[]): Span[] => spans.map(({ text, isMatch }) => ({ text, isMatch: !isMatch }));

const inSequence = (steps: readonly PreTokenizer[]): PreTokenizer => {
  return (piece, isFirst) =>
    steps.reduce<readonly string[]>(
      (pieces, step) => pieces.flatMap((one, i) => step(one, isFirst && i === 0)).filter((one) => one !== ''),
      [piece],
    );
};

const byteLevelSchema = z.object({ add_prefix_space: z.boolean().default(true), use_regex: z.boolean().default(true) });

const byteLevel = ({ add_prefix_space: prefixed, use_regex: cuts }: z.infer<typeof byteLevelSchema>): PreTokenizer => {
  const words = cuts ? isolated(GPT2_WORDS) : (piece: string) => [piece];
  return (piece) => words(prefixed && !piece.startsWith(' ') ? ` ${piece}` : piece).map(byteCharacters);
};

const metaspaceSchema = z.object({
  replacement: z.literal('▁', { error: 'only ▁ is known to stand for a space' }),
  add_prefix_space: z.boolean().nullish(),
  prepend_scheme: z.enum(['first', 'never', 'always']).nullish(),
  split: z.boolean().nullish(),
});

const metaspace = (fields: z.infer<typeof metaspaceSchema>): PreTokenizer => {
  const { replacement, add_prefix_space: prefixed, prepend_scheme: scheme, split } = fields;
  const prepends = scheme ?? (prefixed === false ? 'never' : 'always');
  const spaces = new RegExp(replacement, 'gu');
  return (piece, isFirst) => {
    const spelled = piece.replaceAll(' ', replacement);
    const isPrepended =
      !spelled.startsWith(replacement) && (prepends === 'always' || (prepends === 'first' && isFirst));
    const text = isPrepended ? replacement + spelled : spelled;
    return split === false ? [text] : BEHAVIORS.MergedWithNext(spansOf(text, spaces));
  };
};

const splitSchema = z.object({ pattern: patternSchema, behavior: z.enum(BEHAVIOR_NAMES), invert: z.boolean() });

const split = ({ pattern, behavior, invert }: z.infer<typeof splitSchema>, refuse: Refuse): PreTokenizer => {
  const compiled = compilePattern(pattern, refuse);
  return (piece) => {
    const spans = spansOf(piece, compiled);
    return BEHAVIORS[behavior](invert ? inverted(spans) : spans);
  };
};

const fixedLength = ({ length }: { length: number }): PreTokenizer => {
  return (piece) => {
    const characters = Array.from(piece);
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
      return (piece) => behavior(spansOf(piece, NUMBER));
    }),
  ],
  [
    'Punctuation',
    part(z.object({ behavior: z.enum(BEHAVIOR_NAMES).default('Isolated') }), ({ behavior }) => {
      return (piece) => BEHAVIORS[behavior](spansOf(piece, PUNCTUATION));
    }),
  ],
  [
    'CharDelimiterSplit',
    part(
      z.object({ delimiter: z.string().min(1).max(2) }),
      ({ delimiter }) =>
        (piece) =>
          piece.split(delimiter),
    ),
  ],
  ['Whitespace', part(nothing, () => (piece) => piece.match(WORDS) ?? [])],
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
 * @param config the `pre_tokenizer` of a tokenizer.json. @returns a function that gives no empty piece.
 * @throws ByteifyError through `refuse` for one that is not supported.
 */
export function readPreTokenizer(config: unknown, refuse: Refuse): PreTokenizer {
  if (config === null || config === undefined) return (piece) => [piece];
  return inSequence([readPart(PRE_TOKENIZERS, 'pre-tokenizer', config, refuse)]);
}
