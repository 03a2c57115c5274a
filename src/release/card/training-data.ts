/** @module The card's section on the training text: sources, licences and amount. */

import { humanBytes, plural } from '../../ui/index.js';
import { CONCERNS, licenceOf } from '../licences.js';
import type { CardInputs } from './inputs.js';
import { code, escapeText, link, markdownTable } from './markdown.js';

type Source = CardInputs['provenance']['data']['sources'][number];

export function trainingData(card: CardInputs): string {
  const { sources, sha256 } = card.provenance.data;
  const stated =
    sources.length === 0
      ? 'The sources and licences of the text were not stated.'
      : markdownTable(['source', 'licence', 'languages'], sources.map(row));
  const digest = sha256 === null ? '' : ` The digest of the text and its split is ${code(sha256)}.`;
  return [stated, ...concerns(sources), ...amount(card, digest), ofTheSource(card)].join('\n\n');
}

function row({ name, url, hub_id, license, language = [] }: Source): string[] {
  const address = hub_id === undefined ? url : `https://huggingface.co/datasets/${hub_id}`;
  const { name: licence, link: terms } = licenceOf(license);
  return [link(name, address), link(licence, terms), escapeText(language.join(', ')) || 'not stated'];
}

/** Licence terms that readers must know before they build on the model. */
function concerns(sources: readonly Source[]): string[] {
  const lines = sources.flatMap(({ name, license }) => {
    const { kind, name: licence } = licenceOf(license);
    const concern = CONCERNS[kind];
    if (concern === null) return [];
    return [
      kind === 'unknown'
        ? `- The licence of ${escapeText(name)} ${concern}.`
        : `- ${escapeText(name)} is under ${escapeText(licence)}, which ${concern}.`,
    ];
  });
  return lines.length === 0 ? [] : [lines.join('\n')];
}

function amount({ text }: CardInputs, digest: string): string[] {
  if (text === null) return digest === '' ? [] : [digest.trim()];
  const { documents, domains, trainBytes, heldOutBytes } = text;
  const parts = domains.map(({ name, trainBytes: bytes }) => `${name} ${humanBytes(bytes)}`).join(', ');
  const of = `${documents.toLocaleString('en-US')} ${plural(documents, 'document')}`;
  return [
    `${humanBytes(trainBytes)} for training${parts === '' ? '' : ` (${parts})`} and ${humanBytes(heldOutBytes)} held out, from ${of}, without duplicates. The text itself is not in this repository.${digest}`,
  ];
}

function ofTheSource({ provenance: { source } }: CardInputs): string {
  const statement =
    source === null || source.revision === null
      ? 'is not known here'
      : `is described in ${link('its own card', `https://huggingface.co/${source.model}`)}`;
  return `The training data of the source ${statement}.`;
}
