/** @module Looks up a licence by the name in a model's or data set's metadata. */
import { HUB_LICENCES, isHubLicence, type LicenceKind } from './hub-licences.js';
import { LLAMA_LICENCES, type LlamaTerms } from './llama-licences.js';

export interface Licence {
  /** The hub's identifier if it has one, otherwise the name in the metadata; `unknown` if they have none. */
  readonly id: string;
  readonly kind: LicenceKind;
  /** The name for people. */
  readonly name: string;
  /** URL of the text; null if it is not known. */
  readonly link: string | null;
  /** The terms of one of Meta's community licences, otherwise null. */
  readonly llama: LlamaTerms | null;
}

/** What a publisher must know about each kind, as a predicate for the licence's name; null if there is nothing to know. */
export const CONCERNS: Readonly<Record<LicenceKind, string | null>> = {
  attribution: null,
  llama: null,
  'share-alike': 'requires derived models to be distributed under the same terms',
  'non-commercial': 'does not allow commercial use',
  'no-derivatives': 'does not allow modified copies to be distributed',
  unfamiliar: 'has terms that byteify does not know, so read them',
  unknown: 'is not known, so nothing says that derived models may be distributed',
};

const LLAMA_NAME = /^(?:meta-)?llama-?(2|3(?:[.-][123])?)(?:-community)?(?:-licen[cs]e)?(?:-agreement)?$/;
const NON_COMMERCIAL = /(^|[-_. ])nc([-_. ]|$)|non-?commercial|research/;

/** Normalises spellings to the hub's identifiers: `Apache 2.0`, or `llama3_2_community` in a `license_name`. */
function identifierOf(name: string): string {
  const id = name
    .trim()
    .toLowerCase()
    .replaceAll(/[^a-z0-9.+]+/g, '-')
    .replaceAll(/^-|-$/g, '');
  const version = LLAMA_NAME.exec(id)?.[1];
  return version === undefined ? id : `llama${version.replace('-', '.')}`;
}

/** Looks up a licence. @param name `license` of a front matter, or its `license_name` if that is `other`; null if there is none. */
export function licenceOf(name: string | null): Licence {
  const id = identifierOf(name ?? '') || 'unknown';
  const llama = Object.hasOwn(LLAMA_LICENCES, id) ? LLAMA_LICENCES[id]! : null;
  if (llama !== null) return { id, kind: 'llama', name: llama.name, link: llama.link, llama };
  if (!isHubLicence(id)) {
    const kind = NON_COMMERCIAL.test(id) ? 'non-commercial' : 'unfamiliar';
    return { id, kind, name: name?.trim() ?? id, link: null, llama };
  }
  const [kind, spdx] = HUB_LICENCES[id];
  const link = spdx === undefined ? null : `https://spdx.org/licenses/${spdx}.html`;
  const own = id === 'other' ? 'a licence of its own' : id;
  return { id, kind, name: spdx ?? own, link, llama };
}
