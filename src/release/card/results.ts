/** @module The card's figures, and the commands that measure them. */
import type { CardInputs } from './inputs.js';
import { escapeText, markdownTable, significant } from './markdown.js';

type Metrics = Readonly<Record<string, number>>;

/** What is told beside the source's, or is no result: the rest is listed by its name. */
const TOLD_OR_TECHNICAL = [
  'validation_bits_per_byte',
  'source_bits_per_byte',
  'validation_bytes_per_patch',
  'bytes_per_patch',
  'source_bytes_per_token',
  'data_wait_fraction',
  'flops',
  // Parts of the source's bits in patches, by the state that a byte is predicted from.
  'fresh_first_byte_bits_per_byte',
  'stale_first_byte_bits_per_byte',
  'unread_first_byte_bits_per_byte',
  'fresh_first_byte_fraction',
];

/** `bias` as a word of its own: what an evaluation calls what it measured of it. */
export const isBias = (metric: string) => metric.split('_').includes('bias');

/** What was measured while training, by stage and name. */
export function measured({ provenance: { stages } }: CardInputs): readonly (readonly [string, string, number])[] {
  return (['patcher', 'finetune'] as const).flatMap((stage) =>
    Object.entries(stages[stage]?.metrics ?? {}).map(([name, value]) => [stage, name, value] as const),
  );
}

/** The source's bits per byte over the model's; null where one of them is not known. */
export function retention({ provenance: { stages } }: CardInputs): number | null {
  const { validation_bits_per_byte: own, source_bits_per_byte: source } = (stages.finetune?.metrics ?? {}) as Metrics;
  return own === undefined || source === undefined ? null : source / own;
}

export function results(card: CardInputs): string {
  const all = measured(card);
  if (all.length === 0) return 'Nothing was measured.';
  // A stage may repeat what one before it measured on the same text.
  const first = (name: string) => all.findIndex(([, other]) => other === name);
  const rest = all.filter(([, name], at) => first(name) === at && !TOLD_OR_TECHNICAL.includes(name) && !isBias(name));
  const details =
    rest.length === 0
      ? []
      : [
          'What else was measured on the way:',
          markdownTable(
            ['stage', 'what', 'value:'],
            rest.map(([stage, name, value]) => [stage, words(name), significant(value)]),
          ),
        ];
  return [...beside(card), ...kept(card), ...commands(card), ...details].join('\n\n');
}

/** Source and model in one table. */
function beside({ provenance: { stages } }: CardInputs): string[] {
  const patcher: Metrics = stages.patcher?.metrics ?? {};
  const finetune: Metrics = stages.finetune?.metrics ?? {};
  const rows = [
    [
      'bits per byte of held-out text (less is better)',
      finetune.source_bits_per_byte,
      finetune.validation_bits_per_byte,
    ],
    [
      'bytes that one step of the large transformer reads',
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

function kept(card: CardInputs): string[] {
  const share = retention(card);
  if (share === null) return [];
  return [
    `Retention is ${(100 * share).toFixed(1)} %: the source's bits per byte over this model's, on the same bytes. At 100 % nothing of how well the source predicts text is lost.`,
  ];
}

function commands({ provenance: { stages }, recipe }: CardInputs): string[] {
  if (recipe === null) return [];
  const bytes = recipe.evaluate.validation_bytes.toLocaleString('en-US');
  const [also, evaluate] =
    stages.patcher?.metrics.cut_recall === undefined
      ? ['', '']
      : [", and on how patches follow the source's tokens", '\nbyteify patcher evaluate again --data text'];
  return [
    `Measured by \`byteify convert\` on up to ${bytes} bytes of the text that it holds out; the command above measures it again. On other text, from the folder of this model${also}:`,
    `\`\`\`sh\nbyteify score . text.txt${evaluate}\n\`\`\``,
  ];
}

/** What names alone do not tell; the definitions are those of the segmentation report and of the encoder's fidelity. */
const MEANING: Readonly<Record<string, string>> = {
  patcher_bits_per_byte: 'bits per byte of the patcher alone',
  threshold_nats: 'entropy above which a patch begins, nats',
  cut_precision: 'patches that end where a token of the source ends, of all patches',
  cut_recall: 'tokens of the source at whose end a patch ends, of all tokens',
  late_cut_fraction: 'patches that end one byte late, of those that end where a token does',
  source_marginal_bits_per_byte: 'bits per byte of the source, summed over its tokens',
  source_in_patches_bits_per_byte: 'bits per byte of the source where it reads patch by patch',
  encoder_relative_error: 'squared error of the encoder’s patches, of the variance of the source’s embeddings',
  encoder_bits_per_byte: 'bits per byte of the source with the encoder’s patches in place of its embeddings',
};

/** A metric in words. */
export function words(name: string): string {
  return MEANING[name] ?? escapeText(name.replaceAll('_', ' '));
}
