/** @module README.md of an export: what the hub reads (YAML front matter) and what a person reads. */

import { stringify } from 'yaml';

/** What the card tells. Everything comes from the manifest of the conversion; a plain checkpoint knows less. */
export interface CardInputs {
  /** The title. */
  readonly name: string;
  /** The source as a person knows it: hub id, or the name of a folder or file. */
  readonly source: string | null;
  /** The hub id of the source, when it came from the hub; the front matter links to it. */
  readonly baseModel: string | null;
  readonly revision: string | null;
  /** By the hub's names (`apache-2.0`, `llama3.2`). */
  readonly license: string | null;
  /** ISO 639-1 codes. */
  readonly languages: readonly string[];
  readonly toolVersion: string;
  readonly recipe: { readonly name: string; readonly sha256: string } | null;
  readonly stages: readonly CardStage[];
}

export interface CardStage {
  readonly name: string;
  readonly seconds: number;
  readonly files: readonly { readonly path: string; readonly size_bytes: number; readonly sha256: string }[];
  readonly metrics: Readonly<Record<string, number>>;
}

/** What the card says of the model itself. */
export interface CardModel {
  readonly parameters: number;
  readonly dtype: 'float32' | 'bfloat16';
  readonly globalLayers: number;
  readonly globalHiddenSize: number;
  readonly encoderLayers: number;
  readonly decoderLayers: number;
  readonly localHiddenSize: number;
  readonly patchingThreshold: number;
  /** Longest text in bytes. */
  readonly maxBytes: number;
}

/** The whole README.md; ends with a newline. */
export function modelCard(card: CardInputs, model: CardModel): string {
  const sections = [
    `# ${card.name}`,
    introduction(card),
    ...builtWithLlama(card),
    '## Load it',
    usage(card.name),
    '## The model',
    architecture(model),
    '## How it was made',
    making(card),
    ...results(card),
    '## Limits',
    limits(model),
  ];
  return `---\n${frontMatter(card)}---\n\n${sections.join('\n\n')}\n`;
}

/** Keys as the hub documents them for model cards; a licence that is not known is said to be so. */
function frontMatter(card: CardInputs): string {
  return stringify({
    license: card.license ?? 'unknown',
    ...(card.languages.length > 0 && { language: [...card.languages] }),
    library_name: 'transformers',
    pipeline_tag: 'text-generation',
    ...(card.baseModel !== null && { base_model: card.baseModel, base_model_relation: 'finetune' }),
    tags: ['blt', 'byte-level', 'byteify'],
  });
}

function introduction(card: CardInputs): string {
  const from = card.source === null ? 'a pretrained Llama' : sourceLink(card);
  return `A byte-level language model: a Byte Latent Transformer (BLT) made from ${from}. It reads and writes UTF-8 bytes, not tokens: \
bytes are gathered into patches where the next byte is easy to guess, and the source's transformer blocks work on the patches.`;
}

function sourceLink(card: CardInputs): string {
  if (card.baseModel === null) return `\`${card.source}\``;
  const at = card.revision === null ? '' : ` at \`${card.revision}\``;
  return `[${card.baseModel}](https://huggingface.co/${card.baseModel})${at}`;
}

/** The Llama 3 community licences ask derived models to say this. */
function builtWithLlama(card: CardInputs): string[] {
  return card.license !== null && /^llama/i.test(card.license) ? ['Built with Llama.'] : [];
}

function usage(name: string): string {
  return `\`\`\`python
from transformers import AutoTokenizer, BltForCausalLM

tokenizer = AutoTokenizer.from_pretrained("${name}")
model = BltForCausalLM.from_pretrained("${name}")
inputs = tokenizer("My name is", return_tensors="pt")
output = model.generate(**inputs, max_new_tokens=64, use_cache=False)
print(tokenizer.decode(output[0], skip_special_tokens=True))
\`\`\`

\`"${name}"\` is this repository's id, or the folder it lies in. transformers 5 is needed. Keep \`use_cache=False\`, which is also what \
\`config.json\` says: transformers' cache does not fit a model that works on patches.`;
}

function architecture(model: CardModel): string {
  return [
    `- ${model.parameters.toLocaleString('en-US')} parameters in ${model.dtype}`,
    `- global transformer: ${model.globalLayers} layers of width ${model.globalHiddenSize}, from the source`,
    `- local encoder and decoder: ${model.encoderLayers} and ${model.decoderLayers} layers of width ${model.localHiddenSize}`,
    `- a patch begins where the patcher's entropy is above ${model.patchingThreshold} nats`,
  ].join('\n');
}

function making(card: CardInputs): string {
  const recipe =
    card.recipe === null ? '' : ` with the recipe \`${card.recipe.name}\` (sha256 \`${card.recipe.sha256}\`)`;
  const lines = [`Made by byteify ${card.toolVersion}${recipe}.`];
  const files = card.stages.flatMap((stage) => stage.files.map((file) => ({ stage: stage.name, ...file })));
  if (files.length > 0) {
    lines.push(
      '',
      '| stage | file | bytes | sha256 |',
      '| --- | --- | ---: | --- |',
      // Only the name: where a file lay on someone's machine tells the reader nothing.
      ...files.map((file) => {
        const name = file.path.split(/[\\/]/).at(-1) ?? file.path;
        return `| ${file.stage} | ${cell(name)} | ${file.size_bytes} | \`${file.sha256}\` |`;
      }),
    );
  }
  return lines.join('\n');
}

function results(card: CardInputs): string[] {
  const rows = card.stages.flatMap((stage) =>
    Object.entries(stage.metrics).map(
      ([name, value]) => `| ${stage.name} | ${cell(words(name))} | ${significant(value)} |`,
    ),
  );
  if (rows.length === 0) return [];
  return ['## Results', ['| stage | what | value |', '| --- | --- | ---: |', ...rows].join('\n')];
}

function limits(model: CardModel): string {
  return [
    `- Texts up to ${model.maxBytes.toLocaleString('en-US')} bytes.`,
    '- transformers recomputes the whole text for every new byte, so generation slows down as the text grows.',
    '- Pad batches on the right: padding on the left shifts the patches.',
    '- In bfloat16 an entropy near the threshold can fall on its other side, and the text be cut differently than in float32.',
    '- What the source model gets wrong, this one does too; nothing was added to make it safer.',
  ].join('\n');
}

/** `validation_bits_per_byte` as words. */
function words(name: string): string {
  return name.replaceAll('_', ' ');
}

/** A pipe or a line break would end the cell. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ');
}

function significant(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)));
}
