/**
 * @module The records of a prepared folder: `prepare-plan.json` says what it is made from, `byteify-shard.json` and `part.json` what was written, and
 * `prepared.json` that everything is there.
 */
import { join } from 'node:path';
import { z } from 'zod';
import { digestOf, readJsonIfThere, type WrittenFile } from '../../fs/index.js';

export const PLAN_FILE = 'prepare-plan.json';
export const SHARD_FILE = 'byteify-shard.json';
export const PART_FILE = 'part.json';
export const PREPARED_FILE = 'prepared.json';

/** The bytes of a shard's documents, one after another. */
export const DOCUMENTS_FILE = 'documents.bin';
/** Where each document ends in them, as 8-byte little-endian floats: exact to 2^53. */
export const DOCUMENT_ENDS_FILE = 'documents.ends';
/** One little-endian float32 per byte of the documents: the entropy of the patcher's prediction of that byte, in nats. */
export const ENTROPIES_FILE = 'entropies.f32';
/** The patch lengths of all documents as little-endian uint32. Those of a document sum to its bytes + 1: the first is BOS alone. */
export const PATCHES_FILE = 'patches.u32';
/** Where the patch lengths of each document end, counted in patches, as 8-byte little-endian floats. */
export const PATCH_ENDS_FILE = 'patches.ends';

const count = z.int().nonnegative();
const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const identity = sha256;
const format = z.literal(1);

const settings = z.strictObject({
  kind: z.enum(['text', 'bytes']),
  /** The key of a JSON record's text, and the column of Parquet's. */
  column: z.string(),
  shard_bytes: count,
  parts: count,
});

const patcher = z.strictObject({
  /** Of the patcher's tensors: names, types, shapes and bytes. */
  sha256,
  threshold_nats: z.number(),
  /** null for no limit. */
  max_patch_bytes: count.nullable(),
});

const plannedInput = z.strictObject({
  /** As the inputs were named on the command line, and the file's path below that. */
  name: z.string(),
  /** null for standard input. */
  size_bytes: count.nullable(),
  /** Of a local file, when the work began. */
  modified: z.iso.datetime().nullable(),
  /** Of the contents, or git's sha1 of a small file of the hub; null if that is only known after reading. */
  digest: z.string().nullable(),
  /** As on the hub: `odc-by`. */
  license: z.string().nullable(),
});

const planSchema = z.strictObject({
  format,
  settings,
  patcher: patcher.nullable(),
  /** sha256 of the source's tokenizer; null without a patcher or for one that has none beside it. */
  tokenizer: sha256.nullable(),
  inputs: z.array(plannedInput),
});

const position = z.strictObject({
  /** Index in the plan's inputs. */
  input: count,
  /** Documents and refusals of that input that come before. */
  item: count,
});

const refusal = z.strictObject({ path: z.string(), line: count.optional(), reason: z.string() });

/** An input that was read. */
const readInput = z.strictObject({
  name: z.string(),
  size_bytes: count.nullable(),
  /** null if it could not be read to its end. */
  sha256: sha256.nullable(),
});

const counts = {
  documents: count,
  bytes: count,
  /** Without the patches of BOS; null without a patcher. */
  patches: count.nullable(),
  /** Documents that were longer than a shard, and were cut. */
  cut_documents: count,
  refused_count: count,
};

const shardSchema = z.strictObject({
  format,
  identity,
  kind: settings.shape.kind,
  part: count,
  shard: count,
  begin: position,
  end: position,
  ...counts,
  /** The first of the inputs and records that were left out. */
  refused: z.array(refusal),
  inputs: z.array(readInput),
  files: z.record(z.string(), z.strictObject({ size_bytes: count, sha256 })),
});

const listedShard = z.strictObject({
  /** Of the shard's folder, below that of the record. */
  path: z.string(),
  /** Of its `byteify-shard.json`, which has the digests of its files. */
  sha256,
  documents: count,
  bytes: count,
});

const partSchema = z.strictObject({ format, identity, part: count, ...counts, shards: z.array(listedShard) });

const preparedSchema = z.strictObject({
  format,
  identity,
  /** Digest of all shards: folders with the same contents have the same. */
  digest: sha256,
  settings,
  patcher: patcher.nullable(),
  tokenizer: sha256.nullable(),
  ...counts,
  licenses: z.array(z.string()),
  inputs: z.array(readInput.extend({ license: z.string().nullable() })),
  shards: z.array(listedShard),
});

export type PreparePlan = Readonly<z.output<typeof planSchema>>;
export type PlannedInput = Readonly<z.output<typeof plannedInput>>;
export type PatcherIdentity = Readonly<z.output<typeof patcher>>;
export type Position = Readonly<z.output<typeof position>>;
export type ShardManifest = Readonly<z.output<typeof shardSchema>>;
export type PartManifest = Readonly<z.output<typeof partSchema>>;
export type PreparedManifest = Readonly<z.output<typeof preparedSchema>>;
export type ListedShard = Readonly<z.output<typeof listedShard>>;
export type ReadInput = Readonly<z.output<typeof readInput>>;
export type PreparedCounts = Pick<PartManifest, keyof typeof counts>;

const written = <Schema extends z.ZodType>(schema: Schema, what: string, hint: string): WrittenFile<Schema> => ({
  ...{ schema, what, hint },
});

const PLAN = written(planSchema, 'the plan of a prepared folder', 'Remove the folder and prepare it again.');
const SHARD = written(shardSchema, 'the record of a shard', 'Remove the shard and run its part again.');
const PART = written(partSchema, 'the record of a part', 'Remove it and run the part again.');
const PREPARED = written(preparedSchema, 'the record of a prepared folder', 'Run `byteify prepare --merge` again.');

/** Each reads a record; null if there is none. @throws ByteifyError if it is invalid */
export const readPlan = (folder: string) => readJsonIfThere(join(folder, PLAN_FILE), PLAN);
export const readShardManifest = (folder: string) => readJsonIfThere(join(folder, SHARD_FILE), SHARD);
export const readPart = (folder: string) => readJsonIfThere(join(folder, PART_FILE), PART);
export const readPrepared = (folder: string) => readJsonIfThere(join(folder, PREPARED_FILE), PREPARED);

/** What two plans must share to make the same shards: all but the times and licences of their inputs. */
export function identityOf({ inputs, ...plan }: PreparePlan): string {
  return digestOf({ ...plan, inputs: inputs.map(({ name, size_bytes, digest }) => ({ name, size_bytes, digest })) });
}

export const partFolder = (part: number, parts: number): string =>
  `part-${String(part).padStart(5, '0')}-of-${String(parts).padStart(5, '0')}`;

export const shardFolder = (shard: number): string => `shard-${String(shard).padStart(5, '0')}`;
