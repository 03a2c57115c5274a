/** @module Writes the shards of one part: those that are missing, in order. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  checkShardSizes,
  type ListedShard,
  PART_FILE,
  type PartManifest,
  type Position,
  type PreparedCounts,
  partFolder,
  readPart,
  readShardManifest,
  SHARD_FILE,
  type ShardManifest,
  shardFolder,
} from '../data/index.js';
import { ByteifyError } from '../errors.js';
import { digestOfFile, lockFolder, makeFolder, sweepTemporary, writeFileAtomic } from '../fs/index.js';
import type { Part } from '../part.js';
import { divide } from './division.js';
import { type PrepareInput, STDIN } from './input.js';
import { items, type Step } from './items.js';
import { replayShard, type Segment, type ShardTask, type StepQueue, writeShard } from './write-shard.js';

export interface PartOptions extends Part {
  readonly out: string;
  readonly identity: string;
  readonly inputs: readonly PrepareInput[];
  readonly kind: ShardManifest['kind'];
  readonly column: string;
  readonly shardBytes: number;
  readonly segment: Segment | null;
  /** Called after each document, with the bytes and documents that this command has written so far. */
  readonly onProgress?: (done: { readonly bytes: number; readonly documents: number }) => void;
  readonly signal?: AbortSignal;
}

export interface PartResult {
  readonly manifest: PartManifest;
  /** How many of the shards this command wrote; the others were there. */
  readonly writtenShards: number;
  readonly refused: ShardManifest['refused'];
}

interface OpenSteps extends StepQueue {
  close(): Promise<void>;
}

function openSteps(from: Position, options: PartOptions): OpenSteps {
  const steps = items({ ...options, from, takes: divide(options.inputs, options) });
  let held: Step | null | undefined;
  return {
    async peek() {
      if (held === undefined) {
        const next = await steps.next();
        held = next.done ? null : next.value;
      }
      return held;
    },
    take() {
      held = undefined;
    },
    async close() {
      await steps.return(undefined);
    },
  };
}

const isSame = (a: Position, b: Position): boolean => a.input === b.input && a.item === b.item;

/** The manifest of a shard that is there and belongs here; null if it has to be written. @throws ByteifyError if it is damaged or another's */
async function shardThere(folder: string, { identity, begin }: ShardTask): Promise<ShardManifest | null> {
  const manifest = await readShardManifest(folder);
  if (manifest === null) return null;
  if (manifest.identity !== identity || !isSame(manifest.begin, begin))
    throw new ByteifyError(`The shard ${folder} does not follow the one before it, or is of another prepared folder.`, {
      hint: 'Remove it and run the same command again.',
    });
  await checkShardSizes(folder, manifest);
  return manifest;
}

/** Writes the shards that are missing. @returns the manifests of all */
async function writeShards(folder: string, options: PartOptions) {
  const { identity, kind, shardBytes, part, segment, inputs, signal } = options;
  const last: Position = { input: inputs.length, item: 0 };
  const isStdin = inputs[0]?.name === STDIN;
  const manifests: ShardManifest[] = [];
  const done = { bytes: 0, documents: 0, shards: 0 };
  let begin: Position = { input: 0, item: 0 };
  let steps: OpenSteps | null = null;
  try {
    for (let shard = 0; shard === 0 || !isSame(begin, last); shard++) {
      signal?.throwIfAborted();
      const onDocument = (bytes: number) => {
        done.bytes += bytes;
        done.documents++;
        options.onProgress?.(done);
      };
      const task: ShardTask = {
        ...{ identity, kind, part, shard, begin, last, shardBytes, segment, onDocument },
        ...(signal && { signal }),
      };
      const path = join(folder, shardFolder(shard));
      let manifest = await shardThere(path, task);
      if (manifest === null) {
        steps ??= openSteps(begin, options);
        manifest = await writeShard(path, steps, task);
        done.shards++;
      } else if (isStdin) {
        // It cannot be read from a position on.
        steps ??= openSteps(begin, options);
        if (!(await replayShard(steps, task, manifest))) throw otherStdin(path);
      } else {
        await steps?.close();
        steps = null;
      }
      manifests.push(manifest);
      begin = manifest.end;
    }
  } finally {
    await steps?.close();
  }
  return { manifests, writtenShards: done.shards };
}

const otherStdin = (path: string) =>
  new ByteifyError(`Standard input is not the text from which ${path} was written.`, {
    hint: 'Pass the same lines again, or use another --out.',
  });

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);

/** The counts of several shards or parts together. */
export function totalCounts(all: readonly PreparedCounts[]): PreparedCounts {
  return {
    documents: sum(all.map(({ documents }) => documents)),
    bytes: sum(all.map(({ bytes }) => bytes)),
    patches: all.some(({ patches }) => patches === null) ? null : sum(all.map(({ patches }) => patches!)),
    cut_documents: sum(all.map((counts) => counts.cut_documents)),
    refused_count: sum(all.map((counts) => counts.refused_count)),
  };
}

async function listShards(folder: string, manifests: readonly ShardManifest[]): Promise<ListedShard[]> {
  const listed: ListedShard[] = [];
  for (const { shard, documents, bytes } of manifests) {
    const path = shardFolder(shard);
    listed.push({ path, sha256: await digestOfFile(join(folder, path, SHARD_FILE)), documents, bytes });
  }
  return listed;
}

/**
 * Writes what is missing of one part, and then its record.
 * @throws ByteifyError if another process works on this part, or a shard is damaged; the signal's reason. Complete shards are kept
 */
export async function preparePart(options: PartOptions): Promise<PartResult> {
  const { out, identity, part, parts, signal } = options;
  const folder = join(out, partFolder(part, parts));
  await makeFolder(folder);
  const unlock = await lockFolder(folder);
  try {
    await sweepTemporary(folder, { signal });
    const { manifests, writtenShards } = await writeShards(folder, options);
    const manifest: PartManifest = {
      ...{ format: 1, identity, part, ...totalCounts(manifests) },
      shards: await listShards(folder, manifests),
    };
    if (JSON.stringify(await readPart(folder)) !== JSON.stringify(manifest)) {
      await rm(join(folder, PART_FILE), { force: true });
      await writeFileAtomic(join(folder, PART_FILE), `${JSON.stringify(manifest, null, 2)}\n`);
    }
    return { manifest, writtenShards, refused: manifests.flatMap(({ refused }) => refused) };
  } finally {
    await unlock();
  }
}
