/** @module The README.md of an export: YAML front matter for the hub, and text for people. */
import { counted } from '../../ui/index.js';
import { CARD_SECTIONS, type CardSection } from '../card-sections.js';
import { type FrontMatter, writeFrontMatter } from '../front-matter.js';
import { licenceOf } from '../licences.js';
import type { CardInputs, CardModel } from './inputs.js';
import { licenceKeys } from './licence-keys.js';
import { howItWasMade } from './making.js';
import { code, escapeText, link, significant } from './markdown.js';
import { results } from './results.js';
import { trainingData } from './training-data.js';
import { biases, intendedUse, licenceAndAttribution, limits } from './use.js';

/** Writes the complete README.md, which ends with a newline. */
export function modelCard(card: CardInputs, model: CardModel): string {
  const sections: Readonly<Record<CardSection, string>> = {
    'Load it': usage(card.name),
    'The model': architecture(model),
    'How it was made': howItWasMade(card),
    Results: results(card),
    'Training data': trainingData(card),
    Limits: limits(card, model),
    Biases: biases(card),
    'Intended use and misuse': intendedUse(card, model),
    'Licence and attribution': licenceAndAttribution(card),
  };
  const body = [
    `# ${escapeText(card.name)}`,
    ...display(card),
    introduction(card),
    ...CARD_SECTIONS.map((title) => `## ${title}\n\n${sections[title]}`),
  ];
  return `${writeFrontMatter(frontMatter(card))}\n${body.join('\n\n')}\n`;
}

function frontMatter(card: CardInputs): FrontMatter {
  const { source, data } = card.provenance;
  const datasets = data.sources.flatMap(({ hub_id }) => hub_id ?? []);
  // A local path can look like an id, but only hub models have a commit.
  const baseModel = source === null || source.revision === null ? null : source.model;
  return {
    ...licenceKeys(card),
    ...(card.languages.length > 0 && { language: card.languages }),
    library_name: 'transformers',
    pipeline_tag: 'text-generation',
    ...(baseModel !== null && { base_model: baseModel, base_model_relation: 'finetune' }),
    ...(datasets.length > 0 && { datasets }),
    tags: ['blt', 'byte-level', 'byteify'],
  };
}

/** The Llama 3 community licences require derived models to display this prominently. */
function display({ provenance: { source } }: CardInputs): string[] {
  const text = licenceOf(source?.license ?? null).llama?.display ?? null;
  return text === null ? [] : [`**${text}.**`];
}

function introduction({ provenance: { source } }: CardInputs): string {
  const from =
    source === null
      ? 'a pretrained Llama'
      : source.revision === null
        ? code(source.model)
        : `${link(source.model, `https://huggingface.co/${source.model}`)} at ${code(source.revision)}`;
  return `A byte-level language model: a Byte Latent Transformer (BLT) made from ${from}. It reads and writes UTF-8 bytes, not tokens: \
bytes that are easy to predict are grouped into patches, and the source's transformer blocks process the patches.`;
}

function usage(name: string): string {
  // A JSON string is also a Python string, and its quotes keep the name from ending the code block.
  const quoted = JSON.stringify(name);
  return `\`\`\`python
from transformers import AutoTokenizer, BltForCausalLM

tokenizer = AutoTokenizer.from_pretrained(${quoted})
model = BltForCausalLM.from_pretrained(${quoted})
inputs = tokenizer("My name is", return_tensors="pt")
output = model.generate(**inputs, max_new_tokens=64, use_cache=False)
print(tokenizer.decode(output[0], skip_special_tokens=True))
\`\`\`

${code(quoted)} stands for this repository's id or the path of its folder. The code requires transformers 5. Keep \`use_cache=False\`, which is also what \
\`config.json\` sets: transformers' cache does not work for a model that reads patches.`;
}

function architecture(model: CardModel): string {
  return [
    `- ${model.parameters.toLocaleString('en-US')} parameters in ${model.dtype}`,
    `- global transformer: ${counted(model.globalLayers, 'layer')} of width ${model.globalHiddenSize}, from the source`,
    `- local encoder and decoder: ${model.encoderLayers} and ${counted(model.decoderLayers, 'layer')} of width ${model.localHiddenSize}`,
    `- a patch begins where the patcher's entropy is above ${significant(model.patchingThreshold)} nats`,
  ].join('\n');
}
