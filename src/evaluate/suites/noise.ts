/** @module Suite `noise`: how much harder text becomes to predict when its characters are disturbed, as bits per byte and relative to clean text. */
import { UsageError } from '../../errors.js';
import { documentsOf, partsOf } from './documents.js';
import { ALL_ITEMS, NO_BYTES, utf8 } from './item.js';
import { BITS_PER_BYTE, bits, type Counts, type Metric, ratio } from './metric.js';
import { NOISES, type NoiseRates, noised } from './noise-transforms.js';
import type { Suite } from './suite.js';

/** Of the texts of an item, the first is clean; the others have one kind of noise each. */
const TEXTS = ['clean', ...NOISES] as const;

/** The sums of one of an item's texts, under the names that `bits` reads. */
const sumsOf = (sums: Counts, text: string): Counts => ({
  nats: sums[`nats_${text}`] ?? 0,
  bytes: sums[`bytes_${text}`] ?? 0,
});

const words = (noise: string) => noise.replaceAll('_', ' ');

/** Bits per byte of one kind of text; for noise also divided by those of the clean text. */
const METRICS = TEXTS.flatMap((text): Metric[] => {
  const own: Metric = {
    ...BITS_PER_BYTE,
    name: `${text}_bits_per_byte`,
    title: `${words(text)}: bits per byte`,
    decimals: 3,
    of: (sums) => bits(sumsOf(sums, text)),
  };
  const relative: Metric = {
    name: `${text}_ratio`,
    title: `${words(text)}: relative to clean`,
    better: 'lower',
    decimals: 3,
    of: (sums) => ratio(bits(sumsOf(sums, text)) ?? undefined, bits(sumsOf(sums, 'clean')) ?? undefined),
  };
  return text === 'clean' ? [own] : [own, relative];
});

/** The mean over the kinds of noise, by which a chart tells models apart. */
const MEAN_RATIO: Metric = {
  name: 'mean_ratio',
  title: 'with noise, relative to clean (mean of the kinds)',
  better: 'lower',
  decimals: 3,
  of(sums) {
    const clean = bits(sumsOf(sums, 'clean'));
    const ratios = NOISES.map((noise) => ratio(bits(sumsOf(sums, noise)) ?? undefined, clean ?? undefined));
    return ratios.includes(null) ? null : ratios.reduce<number>((sum, one) => sum + one!, 0) / ratios.length;
  },
};

/** The rates of the paper. */
export const NOISE_SETTINGS = { drop: '0.1', upper: '0.5', repeat: '0.2', times: '4' } as const;

/** @param suite whose settings they are @throws UsageError for a value that is no rate */
export function noiseRates(suite: string, settings: Readonly<Record<string, string>>): NoiseRates {
  const number = (name: string, least: number, most: number) => {
    const value = Number(settings[name]);
    if (settings[name]?.trim() !== '' && value >= least && value <= most) return value;
    throw new UsageError(
      `The setting ${suite}.${name} must be a number from ${least} to ${most}, not "${settings[name]}".`,
    );
  };
  const times = number('times', 2, 100);
  return { drop: number('drop', 0, 1), upper: number('upper', 0, 1), repeat: number('repeat', 0, 1), times };
}

export const noise: Suite = {
  name: 'noise',
  summary: 'bits per byte of text with five kinds of noise, beside the clean text',
  data: 'text: files and folders, each one kind',
  dataIsOptional: true,
  settings: NOISE_SETTINGS,
  async *items(options) {
    const rates = noiseRates('noise', options.settings);
    for await (const document of documentsOf(options, 'text'))
      for (const { id, unit, kind, text } of partsOf(document)) {
        const clean = Buffer.from(text).toString();
        const disturbed = NOISES.map((one) => utf8(noised(clean, one, rates, `${options.seed} ${id}`)));
        const question = { shared: NO_BYTES, prompt: NO_BYTES, answer: 0, writing: null };
        yield { id, unit, groups: [kind, ALL_ITEMS], ...question, continuations: [text, ...disturbed] };
      }
  },
  count: ({ continuations }, { nats }) =>
    Object.fromEntries(
      TEXTS.flatMap((text, i) => [
        [`nats_${text}`, nats[i]!],
        [`bytes_${text}`, continuations[i]!.length],
      ]),
    ),
  metrics: [...METRICS, MEAN_RATIO],
  notes: [
    'Long documents are scored in parts, each from its own beginning.',
    'Noise changes the number of bytes, by which bits are divided: antspeak doubles it, and its spaces are easy to predict. Compare the model with its source, not one kind of noise with another.',
  ],
};
