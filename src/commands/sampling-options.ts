/** @module The sampling options of the verbs that generate text. */
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
  { flags: '--max-bytes <n>', help: 'maximum number of bytes to generate', parse: parsers.integer(1), default: 256 },
  {
    flags: '--temperature <t>',
    help: '0 always takes the most likely byte; lower is more predictable, higher is more varied',
    parse: between(0, Number.MAX_VALUE),
    // Small models ramble at 1.
    default: 0.7,
  },
  {
    flags: '--top-k <k>',
    help: 'sample from the k most likely bytes; 0 for all',
    parse: parsers.integer(0),
    default: 0,
  },
  {
    flags: '--top-p <p>',
    help: 'sample from the fewest most likely bytes whose probabilities add up to p',
    parse: between(0, 1),
    default: 1,
  },
  {
    flags: '--min-p <p>',
    help: 'sample from the bytes at least p times as likely as the most likely one',
    parse: between(0, 1),
    default: 0,
  },
  {
    flags: '--repetition-penalty <r>',
    help: 'above 1, bytes that already occur in the text become less likely, as in transformers; usually too blunt for bytes',
    parse: parsers.positive,
    default: 1,
  },
  { flags: '--seed <n>', help: 'the same seed gives the same text', parse: parsers.integer(0), default: 0 },
  { flags: '--stop <text>', help: 'stop before this text', repeatable: true },
];

export const samplingOf = ({ temperature, topK, topP, minP, repetitionPenalty }: SamplingArgs): Sampling => ({
  temperature,
  topK,
  topP,
  minP,
  repetitionPenalty,
});

/** The stop strings as UTF-8. @throws UsageError for an empty one, which every text contains. */
export function stopsOf({ stop }: Pick<SamplingArgs, 'stop'>): Uint8Array[] {
  if (stop.includes(''))
    throw new UsageError('--stop is empty.', { hint: 'Give the text to stop before, or leave the option out.' });
  return stop.map((text) => new TextEncoder().encode(text));
}
