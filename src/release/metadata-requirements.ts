/** @module Reads the metadata of an exported folder, on which the requirements of a release are checked. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Manifest } from '../conversion/index.js';
import { licenceNameOf, readCard } from './front-matter.js';
import { licenceFileKind } from './licence-files.js';
import { type Licence, licenceOf } from './licences.js';
import { PROVENANCE_NAME, type Provenance, parseProvenance, RECIPE_NAME } from './provenance.js';

export const CARD_NAME = 'README.md';

/** Files that byteify or an author writes. Licence files and the tokenizer's tables are copied unchanged. */
const WRITTEN = [
  CARD_NAME,
  RECIPE_NAME,
  PROVENANCE_NAME,
  'config.json',
  'generation_config.json',
  'tokenizer_config.json',
] as const;

export interface ReleaseMetadata {
  /** The repository's name without its owner. */
  readonly name: string;
  /** Texts by file name: the written files and the licence files. */
  readonly texts: ReadonlyMap<string, string>;
  /** The front matter, of any shape; undefined if there is none. */
  readonly front: unknown;
  readonly body: string;
  /** Null if it is missing or invalid. */
  readonly provenance: Provenance | null;
  readonly manifest: Manifest | null;
  /** The source's licence as the conversion recorded it; null if it recorded none. */
  readonly recorded: Licence | null;
  /** The recorded licence, or the one that the card names. */
  readonly licence: Licence;
  /** Ids of the licences that the publisher acknowledged. */
  readonly accepted: ReadonlySet<string>;
}

export interface ReleaseOptions {
  /** The exported folder. */
  readonly folder: string;
  /** The conversion's manifest; null for a plain export, which is checked by its provenance.json. */
  readonly manifest: Manifest | null;
  /** OWNER/NAME. */
  readonly repository: string;
  /** Ids of the acknowledged licences, separated by commas: `cc-by-nc-4.0,unknown`. */
  readonly acceptedLicense: string | null;
}

async function readTexts(folder: string): Promise<Map<string, string>> {
  const names = (await readdir(folder)).sort();
  const wanted = names.filter((name) => WRITTEN.some((own) => own === name) || licenceFileKind(name) !== null);
  return new Map(
    await Promise.all(wanted.map(async (name) => [name, await readFile(join(folder, name), 'utf8')] as const)),
  );
}

function provenanceIn(texts: ReadonlyMap<string, string>): Provenance | null {
  const text = texts.get(PROVENANCE_NAME);
  if (text === undefined) return null;
  try {
    return parseProvenance(text);
  } catch {
    return null; // the provenance requirement reports it
  }
}

/** Reads the metadata of an exported folder. @throws the errors of reading it. */
export async function readReleaseMetadata({
  folder,
  manifest,
  repository,
  acceptedLicense,
}: ReleaseOptions): Promise<ReleaseMetadata> {
  const texts = await readTexts(folder);
  const { front, body } = readCard(texts.get(CARD_NAME) ?? '');
  const provenance = provenanceIn(texts);
  const recorded = manifest?.license ?? provenance?.source?.license ?? null;
  const accepted = (acceptedLicense ?? '').split(',').filter((id) => id.trim() !== '');
  return {
    name: repository.split('/').at(-1) ?? repository,
    texts,
    front,
    body,
    provenance,
    manifest,
    recorded: recorded === null ? null : licenceOf(recorded),
    licence: licenceOf(recorded ?? licenceNameOf(front)),
    accepted: new Set(accepted.map((id) => licenceOf(id).id)),
  };
}
