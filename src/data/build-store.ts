/**
 * @module Builds a text store: reads every document once as a stream, validates and deduplicates it, and cuts it into document chunks, each of
 * which belongs to one split.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ByteifyError } from '../errors.js';
import { writeFolderAtomic } from '../fs/index.js';
import { type DomainFiles, inReadingOrder } from './domains.js';
import { between, fillEmptySplits } from './fill-empty-splits.js';
import { findFiles } from './find-files.js';
import { type FileFacts, readFileInto } from './read-file-into.js';
import type { Refusal } from './refusal.js';
import { MANIFEST_FILE, type SplitCounts, type StoreManifest } from './store.js';
import { createStoreWriter, type StoreWriter } from './store-writer.js';

export interface BuildStoreOptions {
  /** The parts of the data. A file that several of them name belongs to the first. */
  readonly domains: readonly DomainFiles[];
  /** The folder to create; an existing one is replaced at the end. */
  readonly out: string;
  /** Fraction of the document chunks to hold out, between 0 and 1. */
  readonly validationFraction: number;
  readonly seed: number;
  /** The key of a JSON record's text. */
  readonly textKey: string;
  /** Called with the file that is being read and the bytes of text read so far from all files. */
  readonly onProgress?: (event: { path: string; bytes: number }) => void;
  readonly signal?: AbortSignal;
}

/** A wrong text key causes a refusal for every line of a corpus, so the list is bounded. */
const MAX_LISTED_REFUSALS = 10_000;

/** Reads the files of all domains, those of text first, and keeps the facts of each file. */
async function readDomains(
  writer: StoreWriter,
  domains: readonly FoundDomain[],
  { textKey, onProgress, signal }: BuildStoreOptions,
  refuse: (refusal: Refusal) => void,
) {
  const files: FileFacts[] = [];
  const duplicateFiles: { path: string; documents: number }[] = [];
  const counts = [writer.counts()];
  let doneBytes = 0;
  for (const domain of domains) {
    writer.beginDomain(domain);
    for (const path of domain.files) {
      const onBytes = (count: number) => {
        signal?.throwIfAborted();
        doneBytes += count;
        onProgress?.({ path, bytes: doneBytes });
      };
      signal?.throwIfAborted();
      const result = await readFileInto(writer, path, { domain, textKey, refuse, onBytes, signal });
      if (result.facts !== null) files.push(result.facts);
      if (result.duplicates > 0) duplicateFiles.push({ path, documents: result.duplicates });
    }
    counts.push(writer.counts());
  }
  return { files, duplicateFiles, counts: between(counts) };
}

interface FoundDomain extends DomainFiles {
  readonly files: readonly string[];
}

/** The files of each domain, text before other bytes, each file once. */
async function findDomains(
  { domains, signal }: BuildStoreOptions,
  refuse: (refusal: Refusal) => void,
): Promise<FoundDomain[]> {
  const seen = new Set<string>();
  const found: FoundDomain[] = [];
  for (const domain of inReadingOrder(domains)) {
    const { files, refused } = await findFiles(domain.paths, signal);
    refused.forEach(refuse);
    found.push({ ...domain, files: files.filter((path) => !seen.has(path)) });
    for (const path of files) seen.add(path);
  }
  return found;
}

/**
 * Builds the store and writes `out` atomically.
 * @returns the manifest: what was read, and what was refused.
 * @throws UsageError if a path does not exist; ByteifyError if a domain has nothing usable, or too little to hold any out; the signal's reason.
 */
export async function buildStore(options: BuildStoreOptions): Promise<StoreManifest> {
  const { out, validationFraction, seed, textKey } = options;
  const refused: Refusal[] = [];
  let refusedCount = 0;
  const refuse = (refusal: Refusal) => {
    if (refusedCount++ < MAX_LISTED_REFUSALS) refused.push(refusal);
  };
  const domains = await findDomains(options, refuse);
  return writeFolderAtomic(out, async (folder) => {
    const writer = await createStoreWriter({ folder, validationFraction, seed });
    const { files, duplicateFiles, counts } = await readDomains(writer, domains, options, refuse).finally(writer.close);
    counts.forEach((domain, i) => {
      if (domain.train.pieces + domain.validation.pieces === 0) throw nothingToUse(domains, i, refused, refusedCount);
    });
    const filled = await fillEmptySplits(folder, counts, seed);
    filled.forEach((domain, i) => {
      if (domain.train.pieces === 0 || domain.validation.pieces === 0) throw tooLittle(domains, i);
    });
    const manifest: StoreManifest = {
      files,
      refused,
      refused_count: refusedCount,
      duplicates: duplicateFiles.reduce((sum, { documents }) => sum + documents, 0),
      duplicate_files: duplicateFiles,
      train: total(filled.map(({ train }) => train)),
      validation: total(filled.map(({ validation }) => validation)),
      domains: domains.map(({ name, kind, weight, chunkBytes }, i) => ({
        ...{ name, kind, weight, piece_bytes: chunkBytes },
        ...filled[i]!,
      })),
      seed,
      validation_fraction: validationFraction,
      text_key: textKey,
    };
    await writeFile(join(folder, MANIFEST_FILE), `${JSON.stringify(manifest, null, 2)}\n`);
    return manifest;
  });
}

const total = (counts: readonly SplitCounts[]): SplitCounts => ({
  pieces: counts.reduce((sum, { pieces }) => sum + pieces, 0),
  bytes: counts.reduce((sum, { bytes }) => sum + bytes, 0),
});

/** How a message names what a domain consists of. */
const contentsOf = ({ name, kind }: DomainFiles, isAlone: boolean): string =>
  kind === 'text' && isAlone ? 'text' : `${kind === 'text' ? 'text' : 'data'} of the domain ${name}`;

const FORMS = 'Pass text or JSON lines, plain or compressed with gzip or zstd';

function nothingToUse(
  domains: readonly FoundDomain[],
  index: number,
  refused: readonly Refusal[],
  count: number,
): ByteifyError {
  const domain = domains[index]!;
  const files = new Set(domain.files);
  const first = domains.length === 1 ? refused[0] : refused.find(({ path }) => files.has(path));
  if (first === undefined) {
    const which = domains.length === 1 ? '' : ` for the domain ${domain.name}`;
    return new ByteifyError(`The folders that --data names${which} contain no files.`, {
      hint: `Hidden files and node_modules are skipped. ${FORMS}.`,
    });
  }
  const where = first.line === undefined ? first.path : `${first.path}:${first.line}`;
  const others = count === 1 ? '' : `, and ${count - 1} more`;
  const isAlone = domains.length === 1;
  return new ByteifyError(
    `--data contains no usable ${contentsOf(domain, isAlone)} (${where}: ${first.reason}${others}).`,
    {
      hint:
        domain.kind === 'text'
          ? `${FORMS}; data.text_key names the key that contains the text.`
          : `data.domains.${domain.name} in the recipe says which files it reads.`,
    },
  );
}

function tooLittle(domains: readonly FoundDomain[], index: number): ByteifyError {
  const domain = domains[index]!;
  const isAlone = domains.length === 1;
  const key = isAlone && domain.kind === 'text' ? 'data' : `data.domains.${domain.name}`;
  return new ByteifyError(
    `There is too little ${contentsOf(domain, isAlone)} to split into training and validation text: it makes only one document chunk of at most ${domain.chunkBytes} bytes.`,
    { hint: `Pass more, or lower ${key}.max_document_bytes to get more document chunks.` },
  );
}
