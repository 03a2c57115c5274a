/** @module How bytes are drawn, for the verbs that write text. */
import { UsageError } from '../errors.js';
import type { Sampling } from '../generate/index.js';
import { type OptionSpec, parsers } from './command.js';

export interface SamplingArgs {
  readonly maxBytes: number;
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly minP: number;
  readonly repetitionPenalty: number;
  readonly seed: number;
  readonly stop: readonly string[];
}

const between = (least: number, most: number) => (text: string) => {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (value >= least && value <= most) return value;
  throw new Error(
    most === Number.MAX_VALUE ? `must be a number of at least ${least}` : `must be a number from ${least} to ${most}`,
  );
};

export const samplingOptions: readonly OptionSpec[] = [
  { flags: '--max-bytes <n>', help: 'the most bytes to write', parse: parsers.integer(1), default: 256 },
  {
    flags: '--temperature <t>',
    help: '0 takes the likeliest byte each time; below 1 is safer, above 1 is wilder',
    parse: between(0, Number.MAX_VALUE),
    // Small models ramble at 1.
    default: 0.7,
  },
  { flags: '--top-k <k>', help: 'draw from the k likeliest bytes; 0: from all', parse: parsers.integer(0), default: 0 },
  {
    flags: '--top-p <p>',
    help: 'draw from the fewest likeliest bytes whose probabilities reach p together',
    parse: between(0, 1),
    default: 1,
  },
  {
    flags: '--min-p <p>',
    help: 'draw from the bytes that are at least p times as likely as the likeliest',
    parse: between(0, 1),
    default: 0,
  },
  {
    flags: '--repetition-penalty <r>',
    help: 'above 1, bytes that the text holds already become less likely, as in transformers: mostly too blunt for bytes',
    parse: parsers.positive,
    default: 1,
  },
  { flags: '--seed <n>', help: 'the same seed gives the same text', parse: parsers.integer(0), default: 0 },
  { flags: '--stop <text>', help: 'end before this text', repeatable: true },
];

export const samplingOf = ({ temperature, topK, topP, minP, repetitionPenalty }: SamplingArgs): Sampling => ({
  temperature,
  topK,
  topP,
  minP,
  repetitionPenalty,
});

/** @throws UsageError for an empty one, which every text holds. */
export function stopsOf({ stop }: Pick<SamplingArgs, 'stop'>): Uint8Array[] {
  if (stop.includes(''))
    throw new UsageError('--stop is empty.', { hint: 'Give the text to end before, or leave it out.' });
  return stop.map((text) => new TextEncoder().encode(text));
}
