/** @module Requirements of the licences of the source and the training text, each checked on the exported folder. */
import { licenceNameOf } from './front-matter.js';
import { licenceFileKind, licenceFilesOf } from './licence-files.js';
import { CONCERNS, type Licence, licenceOf } from './licences.js';
import { containsSentence, hasRequiredPrefix, withRequiredPrefix } from './llama-licences.js';
import { CARD_NAME, type ReleaseMetadata } from './metadata-requirements.js';
import { lastPart } from './provenance.js';
import type { Violation } from './violation.js';

const STATE = `byteify export DIR --restart-from export --data-source '{ name: ..., license: ..., hub_id: ... }'`;

/** Licence files of the source that the folder lacks. */
function lostFiles({ texts, manifest, provenance }: ReleaseMetadata): string[] {
  const files = manifest?.stages.import?.files.map(({ path }) => lastPart(path));
  const names = files ?? provenance?.source?.files.map(({ name }) => name) ?? [];
  return names.filter((name) => licenceFileKind(name) !== null && !texts.has(name));
}

/** A licence that the publisher must acknowledge: a violation until its id is accepted. */
function unacknowledged(what: string, { id, kind, name }: Licence, { accepted }: ReleaseMetadata): Violation[] {
  const concern = CONCERNS[kind];
  if (concern === null || accepted.has(id)) return [];
  const sentence =
    kind === 'unknown' ? `The licence of ${what} ${concern}.` : `${what} is under ${name}, which ${concern}.`;
  return [
    {
      sentence: sentence.charAt(0).toUpperCase() + sentence.slice(1),
      hint: `Make sure that you may publish a derived model, then add it to the list of --accept-license: ${id}.`,
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
        sentence: `${CARD_NAME}: license says ${named}, but the source is under ${recorded.id}.`,
        hint: 'Name the licence of the source.',
      },
    ];
  },

  acknowledged: (metadata) => unacknowledged('the source', metadata.licence, metadata),

  sourceFiles: (metadata) =>
    lostFiles(metadata).map((name) => ({
      sentence: `The source has the licence file ${name}, but the folder lacks it.`,
      hint: `Copy it from the source, or export again.`,
    })),

  licenceText(metadata) {
    const { licence, texts, body } = metadata;
    const files = licenceFilesOf(texts.keys(), 'text');
    if (licenceFilesOf(lostFiles(metadata), 'text').length > 0) return [];
    if (licence.llama !== null) {
      const { title, name, link } = licence.llama;
      if (files.some((file) => containsSentence(texts.get(file)!.toLowerCase(), title))) return [];
      return [
        {
          sentence: `The folder has no copy of the ${name}, which requires one.`,
          hint: `Add it to the folder as LICENSE.txt; it is at ${link}.`,
        },
      ];
    }
    if (licence.kind !== 'attribution' || files.length > 0) return [];
    if (licence.link !== null && body.includes(licence.link)) return [];
    return [
      {
        sentence: `The folder neither contains nor links the text of ${licence.name}.`,
        hint: `Add it to the folder as LICENSE${licence.link === null ? '' : `, or link ${licence.link} in ${CARD_NAME}`}.`,
      },
    ];
  },

  notice(metadata) {
    const { licence, texts } = metadata;
    if (licence.llama === null || licenceFilesOf(lostFiles(metadata), 'notice').length > 0) return [];
    const { notice, name } = licence.llama;
    if (licenceFilesOf(texts.keys(), 'notice').some((file) => containsSentence(texts.get(file)!, notice))) return [];
    return [
      {
        sentence: `No NOTICE file in the folder contains the attribution that the ${name} requires.`,
        hint: `Add to NOTICE: ${notice}`,
      },
    ];
  },

  display({ licence, texts, body }) {
    const display = licence.llama?.display ?? null;
    if (display === null || !texts.has(CARD_NAME) || containsSentence(body, display)) return [];
    return [
      {
        sentence: `${CARD_NAME} does not say "${display}", as the ${licence.name} requires.`,
        hint: 'Write it in a prominent place.',
      },
    ];
  },

  usePolicy({ licence, texts, body }) {
    const { llama } = licence;
    if (llama === null || !texts.has(CARD_NAME) || body.includes(llama.usePolicy)) return [];
    return [
      {
        sentence: `${CARD_NAME} does not link the acceptable use policy, which is part of the ${llama.name}.`,
        hint: `Link ${llama.usePolicy}.`,
      },
    ];
  },

  repositoryName({ licence, name }) {
    const { llama } = licence;
    if (llama === null || hasRequiredPrefix(name, llama)) return [];
    return [
      {
        sentence: `The ${llama.name} requires a name that begins with "${llama.namePrefix}", but "${name}" does not.`,
        hint: `Use another name, such as ${withRequiredPrefix(name, llama)}.`,
      },
    ];
  },

  dataStated(metadata) {
    const { provenance, accepted } = metadata;
    if (provenance === null || provenance.data.sources.length > 0 || accepted.has('unknown')) return [];
    return [
      {
        sentence: 'The source and the licence of the training text are not stated.',
        hint: `State it: ${STATE}, or set export.data_sources in the recipe. To publish without it, pass --accept-license unknown.`,
      },
    ];
  },

  dataLicences: (metadata) =>
    (metadata.provenance?.data.sources ?? []).flatMap(({ name, license }) =>
      unacknowledged(`the training text "${name}"`, licenceOf(license), metadata),
    ),
};
