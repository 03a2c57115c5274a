/** @module What the card says of limits, biases, use, misuse and licence. */

import { licenceFilesOf } from '../licence-files.js';
import { CONCERNS, licenceOf } from '../licences.js';
import type { CardInputs, CardModel } from './inputs.js';
import { escapeText, fileLink, link, markdownTable, significant } from './markdown.js';
import { isBias, measured, retention, words } from './results.js';

export function limits(card: CardInputs, model: CardModel): string {
  const share = retention(card);
  return [
    `- Texts up to ${model.maxBytes.toLocaleString('en-US')} bytes.`,
    '- transformers recomputes the whole text for every new byte, so generation slows down as the text grows.',
    '- Pad batches on the right: padding on the left shifts the patches.',
    '- In bfloat16 an entropy near the threshold can fall on its other side, and the text be cut differently than in float32.',
    '- What the source model gets wrong, this one does too; nothing was added to make it safer.',
    ...(share !== null && share < 1
      ? ['- It predicts text worse than its source does; by how much is under "Results".']
      : []),
    '- Not evaluated: tasks and benchmarks, other text than what was held out, facts, dialogue, code, safety.',
  ].join('\n');
}

export function biases(card: CardInputs): string {
  const found = measured(card).filter(([, name]) => isBias(name));
  const inherited = `It has those of its source${sourceCard(card)}, and may have taken on others from the text it was trained on.`;
  if (found.length === 0) return `Biases were not measured. ${inherited}`;
  const table = markdownTable(
    ['stage', 'what', 'value:'],
    found.map(([stage, name, value]) => [stage, words(name), significant(value)]),
  );
  return `${table}\n\nNo others were measured. ${inherited}`;
}

function sourceCard({ provenance: { source } }: CardInputs): string {
  if (source === null || source.revision === null) return '';
  return `, ${link('whose card', `https://huggingface.co/${source.model}`)} may tell of them`;
}

export function intendedUse(card: CardInputs, model: CardModel): string {
  const languages =
    card.languages.length === 0
      ? 'languages other than those of the training text'
      : `languages other than ${escapeText(card.languages.join(', '))}`;
  return [
    'Meant for research on byte-level language models, and for completing text where its source would be used, after an evaluation of your own.',
    `Out of scope: ${languages}; texts longer than ${model.maxBytes.toLocaleString('en-US')} bytes; chat, as it has no chat template; anything where a wrong answer does harm and nobody checks it, such as advice on health, law or money, or decisions about people.`,
    'Misuse: deceiving people about who or what wrote a text, disinformation, harassment, spam, spying on people, and whatever the licence or the law forbids.',
  ].join('\n\n');
}

export function licenceAndAttribution(card: CardInputs): string {
  const { source } = card.provenance;
  const { llama, name, link: terms, kind } = licenceOf(source?.license ?? null);
  const concern = CONCERNS[kind];
  const sentence =
    kind === 'unknown'
      ? `The licence of the source ${concern}.`
      : `The source is under ${link(name, terms)}${concern === null ? '' : `, which ${concern}`}. This model is passed on under the same licence.`;
  const files = licenceFilesOf(card.licenceFiles, 'text').map(fileLink);
  return [
    sentence,
    ...(llama === null ? [] : [`${llama.notice} Use must follow the [acceptable use policy](${llama.usePolicy}).`]),
    ...(files.length === 0 ? [] : [`Its text lies beside this card: ${files.join(', ')}.`]),
    'Changes: the source\'s embeddings and head gave way to a local encoder and decoder for bytes, its transformer blocks were rearranged for BLT, and what "How it was made" lists was trained.',
  ].join('\n\n');
}
