/** @module Reads a store of document chunks: per split, one file of bytes and one of offsets, with random access. */
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { ByteifyError, UsageError } from '../errors.js';
import { digestOfFile, readFully, readJson, readJsonIfThere, type WrittenFile } from '../fs/index.js';
import { DEFAULT_DOMAIN, type DomainRange } from './domains.js';
import { type ChunkPlace, OWN_BYTES, openSources, readPlaces } from './places.js';
import { SHARD_FILE } from './prepared/manifests.js';
import { openToRead, readEnds } from './split-ends.js';

const count = z.int().nonnegative();
const splitCounts = z.object({ pieces: count, bytes: count });

/** A domain's part of the store: in each split its chunks follow those of the domains before it. Those of text come first. */
const storedDomain = z.object({
  name: z.string(),
  kind: z.enum(['text', 'bytes']),
  weight: z.number().positive().nullable(),
  piece_bytes: count,
  train: splitCounts,
  validation: splitCounts,
});

/** The schema of data.json, which records what the store was built from. */
const manifestSchema = z.object({
  files: z.array(
    z.object({
      path: z.string(),
      size_bytes: count,
      sha256: z.string(),
      /** Without duplicates. */
      documents: count,
      bytes: count,
    }),
  ),
  /** The first 10,000 inputs that were left out. */
  refused: z.array(z.object({ path: z.string(), line: count.optional(), reason: z.string() })),
  refused_count: count,
  /** How many duplicate documents were left out. */
  duplicates: count,
  /** The files that contain duplicates, and how many each. */
  duplicate_files: z.array(z.object({ path: z.string(), documents: count })),
  train: splitCounts,
  validation: splitCounts,
  /** Absent if all of it is one domain of text, as in stores of earlier versions. */
  domains: z.array(storedDomain).optional(),
  seed: z.number(),
  validation_fraction: z.number(),
  text_key: z.string(),
  /** Files of prepared folders in which text stays; absent if all of it was copied. */
  sources: z.array(z.string()).optional(),
});

export type SplitCounts = Readonly<z.output<typeof splitCounts>>;
export type StoreManifest = Readonly<z.output<typeof manifestSchema>>;

/** The document chunks of one split. `byteLength` and `read` take an index below `count`. */
export interface Split {
  readonly count: number;
  readonly byteCount: number;
  byteLength(chunk: number): number;
  read(chunk: number): Promise<Uint8Array>;
}

/** Paths of a split's files. */
export interface SplitFiles {
  readonly bytes: string;
  readonly ends: string;
  /** Where its chunks are, if some are in other files. */
  readonly elsewhere?: { readonly places: string; readonly sources: readonly string[] };
}

/** A split on disk, which other threads can also open. */
export interface StoredSplit extends Split {
  readonly files: SplitFiles;
  /** The domains of its chunks, from the first chunk to the last. */
  readonly domains: readonly DomainRange[];
}

export type OpenSplit = Split & {
  readonly files: SplitFiles;
  /** Where a chunk is in another file; null if its bytes are in the split's own. */
  place(chunk: number): ChunkPlace | null;
  close(): Promise<void>;
};

export interface ByteStore {
  readonly folder: string;
  readonly manifest: StoreManifest;
  readonly train: StoredSplit;
  readonly validation: StoredSplit;
  close(): Promise<void>;
}

export type SplitName = 'train' | 'validation';
export const MANIFEST_FILE = 'data.json';
export const bytesFile = (split: SplitName) => `${split}.bin`;
/** End offsets of the document chunks as 8-byte little-endian floats: exact to 2^53, and readable directly as a typed array. */
export const endsFile = (split: SplitName) => `${split}.ends`;
/** Where document chunks are whose bytes were not copied. */
export const placesFile = (split: SplitName) => `${split}.places`;

const HINT = 'Remove the data folder and run again with --data.';
const SOURCE_HINT =
  'Training reads prepared data where it is: restore it, or remove the data folder and run again with --data.';

const MANIFEST: WrittenFile<typeof manifestSchema> = {
  schema: manifestSchema,
  what: 'the record of a text store',
  hint: HINT,
};

/**
 * Reads the manifest of the store in a folder; null if there is none.
 * @throws ByteifyError if the manifest is invalid
 */
export async function readStoreManifest(folder: string): Promise<StoreManifest | null> {
  return readJsonIfThere(join(folder, MANIFEST_FILE), MANIFEST);
}

/** Opens a split all of whose bytes are in one file. */
async function openWhole(files: SplitFiles, ends: Float64Array): Promise<Pick<OpenSplit, 'read' | 'place' | 'close'>> {
  const path = files.bytes;
  const byteCount = ends.at(-1) ?? 0;
  const file = await openToRead(path, HINT);
  const { size } = await file.stat();
  if (size !== byteCount) {
    await file.close();
    throw new ByteifyError(`${path} has ${size} bytes, but ${files.ends} says ${byteCount}.`, { hint: HINT });
  }
  return {
    async read(chunk) {
      const begin = beginOf(ends, chunk);
      const bytes = new Uint8Array(ends[chunk]! - begin);
      await readFully(file, bytes, begin, path, HINT);
      return bytes;
    },
    place: () => null,
    close: () => file.close(),
  };
}

/** Opens a split whose chunks are in files of prepared folders, and in its own. */
async function openPlaced(
  { bytes, ends: endsPath }: SplitFiles,
  { places: path, sources }: NonNullable<SplitFiles['elsewhere']>,
  ends: Float64Array,
): Promise<Pick<OpenSplit, 'read' | 'place' | 'close'>> {
  const places = await readPlaces(path, sources.length, HINT);
  if (places.count !== ends.length)
    throw new ByteifyError(`${path} has ${places.count} document chunks, but ${endsPath} has ${ends.length}.`, {
      hint: HINT,
    });
  const files = openSources([...sources, bytes], SOURCE_HINT);
  return {
    read(chunk) {
      const { source, offset } = places.of(chunk);
      const length = ends[chunk]! - beginOf(ends, chunk);
      return files.read(source === OWN_BYTES ? sources.length + 1 : source, offset, length);
    },
    place(chunk) {
      const place = places.of(chunk);
      return place.source === OWN_BYTES ? null : place;
    },
    close: () => files.close(),
  };
}

const beginOf = (ends: Float64Array, chunk: number) => (chunk === 0 ? 0 : ends[chunk - 1]!);

/** Opens a split for reading. @throws ByteifyError if a file is missing, damaged or truncated. */
export async function openSplit(files: SplitFiles): Promise<OpenSplit> {
  const ends = await readEnds(files.ends, HINT);
  const opened =
    files.elsewhere === undefined ? await openWhole(files, ends) : await openPlaced(files, files.elsewhere, ends);
  return {
    files,
    count: ends.length,
    byteCount: ends.at(-1) ?? 0,
    byteLength: (chunk) => ends[chunk]! - beginOf(ends, chunk),
    ...opened,
  };
}

/** The domains of a split's chunks. */
function domainRanges({ domains, ...manifest }: StoreManifest, split: SplitName): DomainRange[] {
  if (domains === undefined)
    return [{ name: DEFAULT_DOMAIN, kind: 'text', weight: null, from: 0, to: manifest[split].pieces }];
  let from = 0;
  return domains.map(({ name, kind, weight, ...counts }) => {
    const range = { name, kind, weight, from, to: from + counts[split].pieces };
    from = range.to;
    return range;
  });
}

/** A split of which one domain is read. @throws UsageError when the split has no such domain */
export function domainOf(split: StoredSplit, name: string): StoredSplit {
  const domains = split.domains.filter((domain) => domain.name === name);
  if (domains.length > 0) return { ...split, domains };
  throw new UsageError(`The data have no domain ${JSON.stringify(name)} on which the patcher could be calibrated.`, {
    hint: `Set patcher.calibration_domain to one of: ${split.domains.map((domain) => domain.name).join(', ')}.`,
  });
}

/** The part of a split that is text. */
export function textOf(split: StoredSplit): StoredSplit {
  const domains = split.domains.filter(({ kind }) => kind === 'text');
  if (domains.length === split.domains.length) return split;
  const count = domains.at(-1)?.to ?? 0;
  let byteCount = 0;
  for (let chunk = 0; chunk < count; chunk++) byteCount += split.byteLength(chunk);
  return { ...split, count, byteCount, domains };
}

/** @param sources if some of the text stays in other files */
export function splitFiles(folder: string, name: SplitName, sources: readonly string[] | undefined): SplitFiles {
  const files = { bytes: join(folder, bytesFile(name)), ends: join(folder, endsFile(name)) };
  if (sources === undefined) return files;
  return { ...files, elsewhere: { places: join(folder, placesFile(name)), sources } };
}

/** Checks that the shards in which text stays are those that were read. @throws ByteifyError naming one that is not */
async function checkSources({ sources = [], files }: StoreManifest): Promise<void> {
  const digests = new Map(files.map(({ path, sha256 }) => [path, sha256]));
  for (const source of sources) {
    const record = join(dirname(source), SHARD_FILE);
    const digest = await digestOfFile(record).catch(() => null);
    if (digest !== digests.get(record))
      throw new ByteifyError(
        `The shard ${dirname(source)} ${digest === null ? 'is gone' : 'was changed'} since its text was read.`,
        { hint: SOURCE_HINT },
      );
  }
}

async function openSplitFile(
  folder: string,
  name: SplitName,
  manifest: StoreManifest,
): Promise<OpenSplit & StoredSplit> {
  const counts = manifest[name];
  const domains = domainRanges(manifest, name);
  const files = splitFiles(folder, name, manifest.sources);
  const split = await openSplit(files);
  const isWhole = split.count === counts.pieces && split.byteCount === counts.bytes;
  if (isWhole && domains.at(-1)?.to === split.count) return { ...split, domains };
  await split.close();
  throw new ByteifyError(`${files.bytes} and ${files.ends} do not match ${join(folder, MANIFEST_FILE)}.`, {
    hint: HINT,
  });
}

/** Opens the store in a folder. @throws ByteifyError naming the file that is missing, damaged or inconsistent. */
export async function openStore(folder: string): Promise<ByteStore> {
  const manifest = await readJson(join(folder, MANIFEST_FILE), MANIFEST);
  await checkSources(manifest);
  const train = await openSplitFile(folder, 'train', manifest);
  const validation = await openSplitFile(folder, 'validation', manifest).catch(async (error: unknown) => {
    await train.close();
    throw error;
  });
  const close = async () => {
    for (const split of [train, validation]) await split.close();
  };
  return { folder, manifest, train, validation, close };
}
