/**
 * @module Builds a text store: reads every document once as a stream, validates and deduplicates it, and cuts it into document chunks, each of
 * which belongs to one split.
 */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ByteifyError } from '../errors.js';
import { writeFolderAtomic } from '../fs/index.js';
import { type DomainFiles, inReadingOrder } from './domains.js';
import { between, fillEmptySplits, SPLITS } from './fill-empty-splits.js';
import { type FoundFiles, findFiles } from './find-files.js';
import { type FileFacts, type FileResult, readFileInto } from './read-file-into.js';
import { collectRefusals, type Refusal, type Refusals } from './refusal.js';
import { MANIFEST_FILE, placesFile, type SplitCounts, type StoreManifest } from './store.js';
import { type Counts, createStoreWriter, type StoreWriter } from './store-writer.js';

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

interface FoundDomain extends DomainFiles, FoundFiles {}

/** What became of a domain's files. */
interface DomainReading {
  readonly domain: FoundDomain;
  readonly counts: Counts;
  /** The first of its refusals, and how many there are. */
  readonly refused: { readonly first: Refusal | null; readonly count: number };
  readonly duplicates: number;
}

/** Reads the files of a domain, and adds the facts of each. */
async function readDomain(
  writer: StoreWriter,
  domain: FoundDomain,
  { textKey, signal }: BuildStoreOptions,
  {
    refuse,
    onBytes,
    onFile,
  }: {
    refuse: (refusal: Refusal) => void;
    onBytes: (path: string, count: number) => void;
    onFile: (path: string, result: FileResult) => void;
  },
): Promise<Omit<DomainReading, 'counts'>> {
  let first: Refusal | null = domain.refused[0] ?? null;
  let [count, duplicates] = [domain.refused.length, 0];
  domain.refused.forEach(refuse);
  writer.beginDomain(domain);
  for (const path of domain.files) {
    signal?.throwIfAborted();
    const result = await readFileInto(writer, path, {
      ...{ domain, textKey, signal },
      refuse(refusal) {
        first ??= refusal;
        count++;
        refuse(refusal);
      },
      onBytes(bytes) {
        signal?.throwIfAborted();
        onBytes(path, bytes);
      },
    });
    duplicates += result.duplicates;
    onFile(path, result);
  }
  return { domain, refused: { first, count }, duplicates };
}

/** Reads the files of all domains, those of text first, and keeps the facts of each file. */
async function readDomains(
  writer: StoreWriter,
  domains: readonly FoundDomain[],
  options: BuildStoreOptions,
  refusals: Refusals,
) {
  const files: FileFacts[] = [];
  const duplicateFiles: { path: string; documents: number }[] = [];
  const counts = [writer.counts()];
  const read: Omit<DomainReading, 'counts'>[] = [];
  let doneBytes = 0;
  for (const domain of domains) {
    read.push(
      await readDomain(writer, domain, options, {
        refuse: refusals.add,
        onBytes(path, count) {
          doneBytes += count;
          options.onProgress?.({ path, bytes: doneBytes });
        },
        onFile(path, { facts, duplicates }) {
          if (facts !== null) files.push(facts);
          if (duplicates > 0) duplicateFiles.push({ path, documents: duplicates });
        },
      }),
    );
    counts.push(writer.counts());
  }
  const written = between(counts);
  return { files, duplicateFiles, readings: read.map((one, i): DomainReading => ({ ...one, counts: written[i]! })) };
}

/** The files of each domain, text before other bytes, each file once. */
async function findDomains({ domains, signal }: BuildStoreOptions): Promise<FoundDomain[]> {
  const seen = new Set<string>();
  const found: FoundDomain[] = [];
  for (const domain of inReadingOrder(domains)) {
    const { files, refused } = await findFiles(domain.paths, signal);
    const own = files.filter((path) => !seen.has(path));
    if (own.length === 0 && files.length > 0) throw takenFiles(domain);
    found.push({ ...domain, files: own, refused });
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
  const refusals = collectRefusals();
  const domains = await findDomains(options);
  return writeFolderAtomic(out, async (folder) => {
    const writer = await createStoreWriter({ folder, validationFraction, seed });
    const { files, duplicateFiles, readings } = await readDomains(writer, domains, options, refusals).finally(
      writer.close,
    );
    const isAlone = domains.length === 1;
    const sources = writer.sources();
    for (const reading of readings)
      if (reading.counts.train.pieces + reading.counts.validation.pieces === 0) throw nothingToUse(reading, isAlone);
    const filled = await fillEmptySplits(
      folder,
      readings.map(({ counts }) => counts),
      { seed, sources },
    );
    filled.forEach(({ train, validation }, i) => {
      if (train.pieces === 0 || validation.pieces === 0) throw tooLittle(domains[i]!, isAlone);
    });
    const manifest: StoreManifest = {
      files,
      refused: [...refusals.listed],
      refused_count: refusals.count(),
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
      ...(sources.length > 0 && { sources: [...sources] }),
    };
    if (sources.length === 0) for (const name of SPLITS) await rm(join(folder, placesFile(name)));
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

/** The recipe's section with a domain's settings. */
const sectionOf = ({ name, kind }: DomainFiles, isAlone: boolean): string =>
  kind === 'text' && isAlone ? 'data' : `data.domains.${name}`;

const FORMS = 'Pass text or JSON lines, plain or compressed with gzip or zstd, or Parquet';

function takenFiles({ name }: DomainFiles): ByteifyError {
  return new ByteifyError(`All files of the domain ${name} belong to another domain as well.`, {
    hint: 'Name each file in one domain only.',
  });
}

function nothingToUse({ domain, refused, duplicates }: DomainReading, isAlone: boolean): ByteifyError {
  const contents = contentsOf(domain, isAlone);
  if (refused.first === null && duplicates > 0)
    return new ByteifyError(`All ${contents} is in other domains as well, so nothing of it is left.`, {
      hint: 'Duplicates are read once. Pass other files.',
    });
  if (refused.first === null)
    return new ByteifyError(
      `The folders that --data names${isAlone ? '' : ` for the domain ${domain.name}`} contain no files.`,
      {
        hint: `Hidden files and node_modules are skipped.${domain.kind === 'text' ? ` ${FORMS}.` : ''}`,
      },
    );
  const { first, count } = refused;
  const where = first.line === undefined ? first.path : `${first.path}:${first.line}`;
  const others = count === 1 ? '' : `, and ${count - 1} more`;
  return new ByteifyError(`--data contains no usable ${contents} (${where}: ${first.reason}${others}).`, {
    hint:
      domain.kind === 'text'
        ? `${FORMS}; data.text_key names the key that contains the text.`
        : `Pass other files, or change data.domains.${domain.name} in the recipe.`,
  });
}

function tooLittle(domain: DomainFiles, isAlone: boolean): ByteifyError {
  const { chunkBytes, longer } = domain;
  const smaller =
    longer === 'cut' ? `, or lower ${sectionOf(domain, isAlone)}.max_document_bytes to get more document chunks` : '';
  return new ByteifyError(
    `There is too little ${contentsOf(domain, isAlone)} to split into training and validation text: it makes only one document chunk of at most ${chunkBytes} bytes.`,
    { hint: `Pass more text${smaller}.` },
  );
}
