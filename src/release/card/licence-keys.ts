/** @module The keys `license`, `license_name` and `license_link` of the front matter. */
import type { FrontMatter } from '../front-matter.js';
import { isHubLicence } from '../hub-licences.js';
import { licenceOf } from '../licences.js';
import type { CardInputs } from './inputs.js';
import { webAddress } from './markdown.js';

type LicenceKeys = Pick<FrontMatter, 'license' | 'license_name' | 'license_link'>;

/** The hub's identifier of the source's licence; without one, `other` with a name and a link (modelcard.md of hub-docs). */
export function licenceKeys(card: CardInputs): LicenceKeys {
  const { id } = licenceOf(card.provenance.source?.license ?? null);
  if (isHubLicence(id) && id !== 'other') return { license: id };
  const link = linkOf(card);
  return { license: 'other', license_name: id, ...(link !== null && { license_link: link }) };
}

/** The hub can link two file names in the repository; for any other text it needs a URL. */
function linkOf({ licenceFiles, licenceLink, provenance: { source } }: CardInputs): string | null {
  const beside = ['LICENSE', 'LICENSE.md'].find((name) => licenceFiles.includes(name));
  if (beside !== undefined) return beside;
  const address = licenceLink === null ? null : webAddress(licenceLink);
  if (address !== null) return address;
  if (source === null || source.revision === null) return null;
  const home = `https://huggingface.co/${source.model}`;
  // A path in the source's repository becomes a URL; other kinds of URL are dropped.
  const isPath = licenceLink !== null && !URL.canParse(licenceLink);
  return webAddress(isPath ? `${home}/blob/${source.revision}/${licenceLink}` : home);
}
