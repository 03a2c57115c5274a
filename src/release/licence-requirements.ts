/** @module What the licences of the source and of the training text ask for. Each requirement is checked on the folder as it is. */
import { licenceNameOf } from './front-matter.js';
import { licenceFileKind, licenceFilesOf } from './licence-files.js';
import { CONCERNS, type Licence, licenceOf } from './licences.js';
import { asAsked, beginsAsAsked, holds } from './llama-licences.js';
import { CARD_NAME, type ReleaseMetadata } from './metadata-requirements.js';
import { lastPart } from './provenance.js';
import type { Violation } from './violation.js';

const STATE = `byteify export DIR --restart-from export --data-source '{ name: ..., license: ..., hub_id: ... }'`;

/** Licence files that the source came with and the folder lacks. */
function lostFiles({ texts, manifest, provenance }: ReleaseMetadata): string[] {
  const files = manifest?.stages.import?.files.map(({ path }) => lastPart(path));
  const names = files ?? provenance?.source?.files.map(({ name }) => name) ?? [];
  return names.filter((name) => licenceFileKind(name) !== null && !texts.has(name));
}

/** A licence that a person must have read: no violation once they say so. */
function unread(what: string, { id, kind, name }: Licence, { accepted }: ReleaseMetadata): Violation[] {
  const concern = CONCERNS[kind];
  if (concern === null || accepted.has(id)) return [];
  const sentence =
    kind === 'unknown' ? `The licence of ${what} ${concern}.` : `${what} is under ${name}, which ${concern}.`;
  return [
    {
      sentence: sentence.charAt(0).toUpperCase() + sentence.slice(1),
      hint: `See that you may publish what is made from it, then add it to the list of --accept-license: ${id}.`,
    },
  ];
}

export const LICENCE_REQUIREMENTS: Readonly<Record<string, (metadata: ReleaseMetadata) => readonly Violation[]>> = {
  sameLicence({ recorded, front }) {
    if (recorded === null || front === undefined) return [];
    const named = licenceNameOf(front);
    if (named === null || licenceOf(named).id === recorded.id) return [];
    return [
      {
        sentence: `${CARD_NAME}: license says ${named}, and the source is under ${recorded.id}.`,
        hint: 'A model keeps the licence of its source.',
      },
    ];
  },

  acknowledged: (metadata) => unread('the source', metadata.licence, metadata),

  sourceFiles: (metadata) =>
    lostFiles(metadata).map((name) => ({
      sentence: `The source came with ${name}, and the folder has it no longer.`,
      hint: `Copy it from the source, or export again.`,
    })),

  licenceText(metadata) {
    const { licence, texts, body } = metadata;
    const files = licenceFilesOf(texts.keys(), 'text');
    if (licenceFilesOf(lostFiles(metadata), 'text').length > 0) return [];
    if (licence.llama !== null) {
      const { title, name, link } = licence.llama;
      if (files.some((file) => holds(texts.get(file)!.toLowerCase(), title))) return [];
      return [
        {
          sentence: `The folder has no copy of the ${name}, which asks for one.`,
          hint: `Put it beside the weights as LICENSE.txt; it is at ${link}.`,
        },
      ];
    }
    if (licence.kind !== 'attribution' || files.length > 0) return [];
    if (licence.link !== null && body.includes(licence.link)) return [];
    return [
      {
        sentence: `Nothing in the folder leads to the text of ${licence.name}.`,
        hint: `Put it beside the weights as LICENSE${licence.link === null ? '' : `, or link ${licence.link} in ${CARD_NAME}`}.`,
      },
    ];
  },

  notice(metadata) {
    const { licence, texts } = metadata;
    if (licence.llama === null || licenceFilesOf(lostFiles(metadata), 'notice').length > 0) return [];
    const { notice, name } = licence.llama;
    if (licenceFilesOf(texts.keys(), 'notice').some((file) => holds(texts.get(file)!, notice))) return [];
    return [
      {
        sentence: `No NOTICE file in the folder has the attribution that the ${name} asks for.`,
        hint: `Write into NOTICE: ${notice}`,
      },
    ];
  },

  display({ licence, texts, body }) {
    const display = licence.llama?.display ?? null;
    if (display === null || !texts.has(CARD_NAME) || holds(body, display)) return [];
    return [
      {
        sentence: `${CARD_NAME} does not say "${display}", as the ${licence.name} asks.`,
        hint: 'Write it where it is seen.',
      },
    ];
  },

  usePolicy({ licence, texts, body }) {
    const { llama } = licence;
    if (llama === null || !texts.has(CARD_NAME) || body.includes(llama.usePolicy)) return [];
    return [
      {
        sentence: `${CARD_NAME} does not lead to the acceptable use policy, which is part of the ${llama.name}.`,
        hint: `Link ${llama.usePolicy}.`,
      },
    ];
  },

  repositoryName({ licence, name }) {
    const { llama } = licence;
    if (llama === null || beginsAsAsked(name, llama)) return [];
    return [
      {
        sentence: `The ${llama.name} asks for a name that begins with "${llama.nameBegins}", and "${name}" does not.`,
        hint: `Take another one, such as ${asAsked(name, llama)}.`,
      },
    ];
  },

  dataStated(metadata) {
    const { provenance, accepted } = metadata;
    if (provenance === null || provenance.data.sources.length > 0 || accepted.has('unknown')) return [];
    return [
      {
        sentence: 'Nothing says where the training text comes from, nor under which licence.',
        hint: `State it: ${STATE}, or export.data_sources of the recipe. To publish without it: --accept-license unknown.`,
      },
    ];
  },

  dataLicences: (metadata) =>
    (metadata.provenance?.data.sources ?? []).flatMap(({ name, license }) =>
      unread(`the training text "${name}"`, licenceOf(license), metadata),
    ),
};
