/** @module `license`, `license_name` and `license_link` of a front matter. */
import type { FrontMatter } from '../front-matter.js';
import { isHubLicence } from '../hub-licences.js';
import { licenceOf } from '../licences.js';
import type { CardInputs } from './inputs.js';

type LicenceKeys = Pick<FrontMatter, 'license' | 'license_name' | 'license_link'>;

/** The source's licence by the hub's identifier; where it has none, `other` with a name and a link (modelcard.md of hub-docs). */
export function licenceKeys(card: CardInputs): LicenceKeys {
  const { id } = licenceOf(card.provenance.source?.license ?? null);
  if (isHubLicence(id) && id !== 'other') return { license: id };
  const link = linkOf(card);
  return { license: 'other', license_name: id, ...(link !== null && { license_link: link }) };
}

/** The hub links two files of a repository; any other text must have an address. */
function linkOf({ licenceFiles, licenceLink, provenance: { source } }: CardInputs): string | null {
  const beside = ['LICENSE', 'LICENSE.md'].find((name) => licenceFiles.includes(name));
  if (beside !== undefined) return beside;
  if (licenceLink !== null && /^https?:\/\//.test(licenceLink)) return licenceLink;
  if (source === null || source.revision === null) return null;
  const home = `https://huggingface.co/${source.model}`;
  return licenceLink === null ? home : `${home}/blob/${source.revision}/${licenceLink}`;
}
