/** @module The card's results, and the commands that measure them. */
import type { CardInputs } from './inputs.js';
import { code, escapeText, markdownTable, significant } from './markdown.js';

type Metrics = Readonly<Record<string, number>>;

/** Metrics that the first table shows, or that are technical. All others are listed by name. */
const SHOWN_OR_TECHNICAL = [
  'validation_bits_per_byte',
  'source_bits_per_byte',
  'validation_bytes_per_patch',
  'bytes_per_patch',
  'source_bytes_per_token',
  'data_wait_fraction',
  'flops',
  'patcher_flops',
  // Parts of the source's bits per byte in patches, by the state from which a byte is predicted.
  'fresh_first_byte_bits_per_byte',
  'stale_first_byte_bits_per_byte',
  'unread_first_byte_bits_per_byte',
  'fresh_first_byte_fraction',
];

/** Whether a metric's name contains the word `bias`, as those of bias evaluations do. */
export const isBias = (metric: string) => metric.split('_').includes('bias');

/** All metrics of the training, as [stage, name, value]. */
export function measured({ provenance: { stages } }: CardInputs): readonly (readonly [string, string, number])[] {
  return (['patcher', 'finetune'] as const).flatMap((stage) =>
    Object.entries(stages[stage]?.metrics ?? {}).map(([name, value]) => [stage, name, value] as const),
  );
}

/** The source's bits per byte divided by the model's; null if one of them is unknown. */
export function retention({ provenance: { stages, trained_elsewhere } }: CardInputs): number | null {
  if (trained_elsewhere !== undefined) return null;
  const { validation_bits_per_byte: own, source_bits_per_byte: source } = (stages.finetune?.metrics ?? {}) as Metrics;
  return own === undefined || source === undefined ? null : source / own;
}

export function results(card: CardInputs): string {
  const all = measured(card);
  if (all.length === 0) return 'Nothing was measured.';
  // A stage may repeat a measurement of an earlier stage on the same text.
  const first = (name: string) => all.findIndex(([, other]) => other === name);
  const rest = all.filter(([, name], at) => first(name) === at && !SHOWN_OR_TECHNICAL.includes(name) && !isBias(name));
  const details =
    rest.length === 0
      ? []
      : [
          'Other measurements of the conversion:',
          markdownTable(
            ['stage', 'what', 'value:'],
            rest.map(([stage, name, value]) => [stage, words(name), significant(value)]),
          ),
        ];
  if (card.provenance.trained_elsewhere !== undefined)
    return [OUTDATED, ...quantisation(card), ...details].join('\n\n');
  return [...comparison(card), ...retained(card), ...quantisation(card), ...commands(card), ...details].join('\n\n');
}

/** The model has been trained since it was measured. */
const OUTDATED =
  'The model was measured before its last training, so these results are not its own. `byteify evaluate` measures it again.';

/** A table that compares the source and the model. */
function comparison({ provenance: { stages } }: CardInputs): string[] {
  const patcher: Metrics = stages.patcher?.metrics ?? {};
  const finetune: Metrics = stages.finetune?.metrics ?? {};
  const rows = [
    [
      'bits per byte of held-out text (lower is better)',
      finetune.source_bits_per_byte,
      finetune.validation_bits_per_byte,
    ],
    [
      'bytes per step of the large transformer',
      patcher.source_bytes_per_token,
      finetune.validation_bytes_per_patch ?? patcher.bytes_per_patch,
    ],
  ] as const;
  const known = rows.filter(([, , own]) => own !== undefined);
  if (known.length === 0) return [];
  const shown = (value: number | undefined) => (value === undefined ? 'not measured' : significant(value));
  return [
    markdownTable(
      ['', 'source:', 'this model:'],
      known.map(([what, source, own]) => [what, shown(source), shown(own)]),
    ),
  ];
}

function retained(card: CardInputs): string[] {
  const share = retention(card);
  if (share === null) return [];
  return [
    `Retention is ${(100 * share).toFixed(1)} %: the source's bits per byte divided by this model's, on the same bytes. At 100 % the model predicts text as well as its source.`,
  ];
}

function quantisation({ provenance: { source } }: CardInputs): string[] {
  const types = source?.quantised_types ?? [];
  if (types.length === 0) return [];
  return [
    `The source's weights are quantised (${types.map(code).join(', ')}). It was measured with these weights, and this model learned from them; a source in full precision predicts text somewhat better.`,
  ];
}

function commands({ provenance: { stages }, recipe }: CardInputs): string[] {
  if (recipe === null) return [];
  const bytes = recipe.evaluate.validation_bytes.toLocaleString('en-US');
  const [also, evaluate] =
    stages.patcher?.metrics.cut_recall === undefined
      ? ['', '']
      : [", and how well patches follow the source's tokens", '\nbyteify patcher evaluate again --data text'];
  return [
    `Measured by \`byteify convert\` on up to ${bytes} bytes of held-out text; the command above measures it again. To measure other text${also}, run this in the model's folder:`,
    `\`\`\`sh\nbyteify score . text.txt${evaluate}\n\`\`\``,
  ];
}

/** Descriptions of metrics whose names do not explain them, as defined by the segmentation report and by src/evaluate/part-losses.ts. */
const MEANING: Readonly<Record<string, string>> = {
  patcher_bits_per_byte: 'bits per byte of the patcher alone',
  threshold_nats: 'entropy above which a patch begins, in nats',
  cut_precision: 'fraction of patches that end at the end of a source token',
  cut_recall: 'fraction of source tokens at whose end a patch ends',
  late_cut_fraction: 'fraction of the patches matched to token ends that end one character late',
  inside_character_cut_fraction: 'fraction of the patches that end inside a UTF-8 character',
  source_marginal_bits_per_byte: 'bits per byte of the source, summed over its tokens',
  source_in_patches_bits_per_byte: 'bits per byte of the source when it reads patch by patch',
  encoder_relative_error: 'squared error of the encoder’s patches, relative to the variance of the source’s embeddings',
  encoder_bits_per_byte: 'bits per byte of the source with the encoder’s patches instead of its embeddings',
  decoder_bits_per_byte: 'bits per byte of the decoder with the source’s states instead of the global transformer’s',
};

/** Describes a metric in words. */
export function words(name: string): string {
  return MEANING[name] ?? escapeText(name.replaceAll('_', ' '));
}
