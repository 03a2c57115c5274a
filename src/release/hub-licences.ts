/** @module The hub's licence identifiers, the kind of their terms, and their SPDX identifiers. */

/**
 * The terms of a licence for distributing a modified copy. `attribution` only requires that the licence is named and kept; `llama` has its own
 * requirements (llama-licences.ts). Publishers must know about all other kinds; `unfamiliar` has terms that this table does not describe.
 */
export type LicenceKind =
  | 'attribution'
  | 'llama'
  | 'share-alike'
  | 'non-commercial'
  | 'no-derivatives'
  | 'unfamiliar'
  | 'unknown';

/** In the order of https://github.com/huggingface/hub-docs/blob/main/docs/hub/repositories-licenses.md, as of August 2026. */
const LICENCES = {
  'apache-2.0': ['attribution', 'Apache-2.0'],
  mit: ['attribution', 'MIT'],
  openrail: ['unfamiliar'],
  'bigscience-openrail-m': ['unfamiliar'],
  'creativeml-openrail-m': ['unfamiliar'],
  'bigscience-bloom-rail-1.0': ['unfamiliar'],
  'bigcode-openrail-m': ['unfamiliar'],
  'afl-3.0': ['attribution', 'AFL-3.0'],
  'artistic-2.0': ['unfamiliar', 'Artistic-2.0'],
  'bsl-1.0': ['attribution', 'BSL-1.0'],
  bsd: ['attribution'],
  'bsd-2-clause': ['attribution', 'BSD-2-Clause'],
  'bsd-3-clause': ['attribution', 'BSD-3-Clause'],
  'bsd-3-clause-clear': ['attribution', 'BSD-3-Clause-Clear'],
  'c-uda': ['unfamiliar', 'C-UDA-1.0'],
  cc: ['unfamiliar'],
  'cc0-1.0': ['attribution', 'CC0-1.0'],
  'cc-by-2.0': ['attribution', 'CC-BY-2.0'],
  'cc-by-2.5': ['attribution', 'CC-BY-2.5'],
  'cc-by-3.0': ['attribution', 'CC-BY-3.0'],
  'cc-by-4.0': ['attribution', 'CC-BY-4.0'],
  'cc-by-sa-3.0': ['share-alike', 'CC-BY-SA-3.0'],
  'cc-by-sa-4.0': ['share-alike', 'CC-BY-SA-4.0'],
  'cc-by-nc-2.0': ['non-commercial', 'CC-BY-NC-2.0'],
  'cc-by-nc-3.0': ['non-commercial', 'CC-BY-NC-3.0'],
  'cc-by-nc-4.0': ['non-commercial', 'CC-BY-NC-4.0'],
  'cc-by-nd-4.0': ['no-derivatives', 'CC-BY-ND-4.0'],
  'cc-by-nc-nd-3.0': ['no-derivatives', 'CC-BY-NC-ND-3.0'],
  'cc-by-nc-nd-4.0': ['no-derivatives', 'CC-BY-NC-ND-4.0'],
  'cc-by-nc-sa-2.0': ['non-commercial', 'CC-BY-NC-SA-2.0'],
  'cc-by-nc-sa-3.0': ['non-commercial', 'CC-BY-NC-SA-3.0'],
  'cc-by-nc-sa-4.0': ['non-commercial', 'CC-BY-NC-SA-4.0'],
  'cdla-sharing-1.0': ['share-alike', 'CDLA-Sharing-1.0'],
  'cdla-permissive-1.0': ['attribution', 'CDLA-Permissive-1.0'],
  'cdla-permissive-2.0': ['attribution', 'CDLA-Permissive-2.0'],
  wtfpl: ['attribution', 'WTFPL'],
  'ecl-2.0': ['attribution', 'ECL-2.0'],
  'epl-1.0': ['share-alike', 'EPL-1.0'],
  'epl-2.0': ['share-alike', 'EPL-2.0'],
  'etalab-2.0': ['attribution', 'etalab-2.0'],
  'eupl-1.1': ['share-alike', 'EUPL-1.1'],
  'eupl-1.2': ['share-alike', 'EUPL-1.2'],
  'agpl-3.0': ['share-alike', 'AGPL-3.0-only'],
  gfdl: ['share-alike'],
  gpl: ['share-alike'],
  'gpl-2.0': ['share-alike', 'GPL-2.0-only'],
  'gpl-3.0': ['share-alike', 'GPL-3.0-only'],
  lgpl: ['share-alike'],
  'lgpl-2.1': ['share-alike', 'LGPL-2.1-only'],
  'lgpl-3.0': ['share-alike', 'LGPL-3.0-only'],
  isc: ['attribution', 'ISC'],
  'h-research': ['non-commercial'],
  'intel-research': ['non-commercial'],
  'lppl-1.3c': ['unfamiliar', 'LPPL-1.3c'],
  'ms-pl': ['share-alike', 'MS-PL'],
  'apple-ascl': ['unfamiliar'],
  'apple-amlr': ['non-commercial'],
  'mpl-2.0': ['share-alike', 'MPL-2.0'],
  'odc-by': ['attribution', 'ODC-By-1.0'],
  odbl: ['share-alike', 'ODbL-1.0'],
  'openmdw-1.0': ['attribution'],
  'openmdw-1.1': ['attribution'],
  'openrail++': ['unfamiliar'],
  'osl-3.0': ['share-alike', 'OSL-3.0'],
  postgresql: ['attribution', 'PostgreSQL'],
  'ofl-1.1': ['share-alike', 'OFL-1.1'],
  ncsa: ['attribution', 'NCSA'],
  unlicense: ['attribution', 'Unlicense'],
  zlib: ['attribution', 'Zlib'],
  pddl: ['attribution', 'PDDL-1.0'],
  'lgpl-lr': ['share-alike', 'LGPLLR'],
  'deepfloyd-if-license': ['non-commercial'],
  'fair-noncommercial-research-license': ['non-commercial'],
  llama2: ['llama'],
  llama3: ['llama'],
  'llama3.1': ['llama'],
  'llama3.2': ['llama'],
  'llama3.3': ['llama'],
  llama4: ['unfamiliar'],
  'grok2-community': ['unfamiliar'],
  gemma: ['unfamiliar'],
  unknown: ['unknown'],
  other: ['unfamiliar'],
} as const satisfies Readonly<Record<string, readonly [kind: LicenceKind, spdx?: string]>>;

export type HubLicence = keyof typeof LICENCES;

export const HUB_LICENCES: Readonly<Record<HubLicence, readonly [kind: LicenceKind, spdx?: string]>> = LICENCES;

export function isHubLicence(id: string): id is HubLicence {
  return Object.hasOwn(LICENCES, id);
}
