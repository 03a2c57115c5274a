/** @module A licence by the name that a model's or a data set's metadata give it. */
import { HUB_LICENCES, isHubLicence, type LicenceKind } from './hub-licences.js';
import { LLAMA_LICENCES, type LlamaTerms } from './llama-licences.js';

export interface Licence {
  /** The hub's identifier where it has one, else the name that the metadata give; `unknown` where they give none. */
  readonly id: string;
  readonly kind: LicenceKind;
  /** For people. */
  readonly name: string;
  /** The text, where it is known to lie. */
  readonly link: string | null;
  /** Meta's community licences. */
  readonly llama: LlamaTerms | null;
}

/** What a person must know about a kind before they publish, to go on after the licence's name; null where nothing is left to say. */
export const CONCERNS: Readonly<Record<LicenceKind, string | null>> = {
  attribution: null,
  llama: null,
  'share-alike': 'asks that what is made from it be passed on under the same terms',
  'non-commercial': 'does not allow commercial use',
  'no-derivatives': 'does not allow changed copies to be passed on',
  unfamiliar: 'has terms that byteify does not know: read them',
  unknown: 'is not known: nothing says that what is made from it may be passed on',
};

const LLAMA_NAME = /^(?:meta-)?llama-?(2|3(?:[.-][123])?)(?:-community)?(?:-licen[cs]e)?(?:-agreement)?$/;
const NON_COMMERCIAL = /(^|[-_. ])nc([-_. ]|$)|non-?commercial|research/;

/** Spellings of one licence made the same, as the hub writes identifiers: `Apache 2.0`, and `llama3_2_community` of a `license_name`. */
function identifierOf(name: string): string {
  const id = name
    .trim()
    .toLowerCase()
    .replaceAll(/[^a-z0-9.+]+/g, '-')
    .replaceAll(/^-|-$/g, '');
  const version = LLAMA_NAME.exec(id)?.[1];
  return version === undefined ? id : `llama${version.replace('-', '.')}`;
}

/** @param name `license` of a front matter, or its `license_name` where that is `other`; null where there is none. */
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
