/** @module The card's sections on limits, biases, use, misuse and licence. */

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
    '- Pad batches on the right, since padding on the left shifts the patches.',
    '- In bfloat16, an entropy near the threshold can cross it, so that patches differ from those in float32.',
    '- It inherits the source model’s errors; nothing was added to make it safer.',
    ...(share !== null && share < 1
      ? ['- It predicts text less well than its source; "Results" says by how much.']
      : []),
    '- Not evaluated: tasks and benchmarks, text other than the held-out text, facts, dialogue, code, safety.',
  ].join('\n');
}

export function biases(card: CardInputs): string {
  const found = measured(card).filter(([, name]) => isBias(name));
  const inherited = `The model inherits the biases of its source${sourceCard(card)}, and may have acquired others from its training text.`;
  if (found.length === 0) return `Biases were not measured. ${inherited}`;
  const table = markdownTable(
    ['stage', 'what', 'value:'],
    found.map(([stage, name, value]) => [stage, words(name), significant(value)]),
  );
  return `${table}\n\nNo others were measured. ${inherited}`;
}

function sourceCard({ provenance: { source } }: CardInputs): string {
  if (source === null || source.revision === null) return '';
  return ` (see ${link('its card', `https://huggingface.co/${source.model}`)})`;
}

export function intendedUse(card: CardInputs, model: CardModel): string {
  const languages =
    card.languages.length === 0
      ? 'languages other than those of the training text'
      : `languages other than ${escapeText(card.languages.join(', '))}`;
  return [
    'Intended for research on byte-level language models, and for text completion where its source would be used, after your own evaluation.',
    `Out of scope: ${languages}; texts longer than ${model.maxBytes.toLocaleString('en-US')} bytes; chat, since it has no chat template; uses where an unchecked wrong answer does harm, such as advice on health, law or money, or decisions about people.`,
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
      : `The source is under ${link(name, terms)}${concern === null ? '' : `, which ${concern}`}. This model is distributed under the same licence.`;
  const files = licenceFilesOf(card.licenceFiles, 'text').map(fileLink);
  return [
    sentence,
    ...(llama === null ? [] : [`${llama.notice} Use must follow the [acceptable use policy](${llama.usePolicy}).`]),
    ...(files.length === 0 ? [] : [`Its text is in this repository: ${files.join(', ')}.`]),
    'Changes: a local encoder and decoder for bytes replace the source\'s embeddings and head, its transformer blocks were rearranged for BLT, and the model was trained as "How it was made" describes.',
  ].join('\n\n');
}
