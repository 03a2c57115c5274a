/** @module Completes a prepared folder: verifies every byte of every part, and writes the record of the whole. */
import { join } from 'node:path';
import {
  identityOf,
  type ListedShard,
  type PartManifest,
  PREPARED_FILE,
  type PreparedManifest,
  type PreparePlan,
  partFolder,
  type ReadInput,
  readPart,
  readPlan,
  SHARD_FILE,
  shardManifest,
  verifyShard,
} from '../data/index.js';
import { ByteifyError, UsageError } from '../errors.js';
import { digestOf, digestOfFile, writeFileAtomic } from '../fs/index.js';
import { totalCounts } from './prepare-part.js';

export interface MergeOptions {
  /** Called with the bytes of text that were verified. */
  readonly onProgress?: (done: { readonly bytes: number; readonly totalBytes: number }) => void;
  readonly signal?: AbortSignal;
}

/** How many missing parts are named. */
const SHOWN_PARTS = 10;

/** The records of all parts. @throws UsageError naming those that are missing; ByteifyError for one of another prepared folder */
async function allParts(out: string, { settings: { parts } }: PreparePlan, identity: string): Promise<PartManifest[]> {
  const found: PartManifest[] = [];
  const missing: number[] = [];
  for (let part = 0; part < parts; part++) {
    const manifest = await readPart(join(out, partFolder(part, parts)));
    if (manifest === null) missing.push(part);
    else if (manifest.identity !== identity)
      throw new ByteifyError(`${join(out, partFolder(part, parts))} was prepared from other inputs or options.`, {
        hint: `Remove it and run the part again with --shard ${part}/${parts}.`,
      });
    else found.push(manifest);
  }
  if (missing.length === 0) return found;
  const more = missing.length > SHOWN_PARTS ? ' ...' : '';
  const which = missing.slice(0, SHOWN_PARTS).join(', ');
  throw new UsageError(
    `${out} lacks ${missing.length === 1 ? 'part' : 'parts'} ${which}${more} of ${parts}, counted from 0.`,
    {
      hint: `Run \`byteify prepare\` with the same inputs and options and --shard ${missing[0]}/${parts}.`,
    },
  );
}

/** Verifies the shards of a part. @returns them with paths below the folder, and the inputs that they read */
async function verifyPart(
  out: string,
  { part, shards, identity }: PartManifest,
  { parts, onBytes, signal }: { parts: number; onBytes: (bytes: number) => void; signal?: AbortSignal | undefined },
): Promise<{ shards: ListedShard[]; inputs: ReadInput[] }> {
  const verified: ListedShard[] = [];
  const inputs: ReadInput[] = [];
  for (const shard of shards) {
    signal?.throwIfAborted();
    const path = join(partFolder(part, parts), shard.path);
    const manifest = await shardManifest(join(out, path));
    const digest = await digestOfFile(join(out, path, SHARD_FILE));
    if (digest !== shard.sha256 || manifest.identity !== identity)
      throw new ByteifyError(`${join(out, path, SHARD_FILE)} does not match the record of its part.`, {
        hint: `Remove the shard and run the part again with --shard ${part}/${parts}.`,
      });
    await verifyShard(join(out, path), manifest, signal);
    verified.push({ ...shard, path });
    inputs.push(...manifest.inputs);
    onBytes(shard.bytes);
  }
  return { shards: verified, inputs };
}

/** What was read of each input of the plan. @throws ByteifyError if two parts read different contents */
function readInputs({ inputs }: PreparePlan, read: readonly ReadInput[]): PreparedManifest['inputs'] {
  const facts = new Map<string, ReadInput>();
  for (const input of read) {
    const before = facts.get(input.name);
    if (input.name !== '-' && before !== undefined && before.sha256 !== input.sha256)
      throw new ByteifyError(`${input.name} changed while its parts were prepared.`, {
        hint: 'Remove the folder and prepare it again.',
      });
    facts.set(input.name, input);
  }
  return inputs.map(({ name, license, size_bytes }) => {
    const { sha256, size_bytes: size } = facts.get(name) ?? { sha256: null, size_bytes };
    // Each part has a standard input of its own.
    return name === '-'
      ? { name, license, size_bytes: null, sha256: null }
      : { name, license, size_bytes: size, sha256 };
  });
}

/**
 * Verifies all parts of a folder and writes `prepared.json`, which makes it usable as data.
 * @throws UsageError if parts are missing, naming them; ByteifyError naming a damaged shard; the signal's reason
 */
export async function mergePrepared(out: string, { onProgress, signal }: MergeOptions = {}): Promise<PreparedManifest> {
  const plan = await readPlan(out);
  if (plan === null)
    throw new UsageError(`${out} is no prepared folder.`, { hint: 'Run `byteify prepare INPUT... --out DIR` first.' });
  const identity = identityOf(plan);
  const { settings, patcher, tokenizer } = plan;
  const parts = await allParts(out, plan, identity);
  const counts = totalCounts(parts);
  const shards: ListedShard[] = [];
  const read: ReadInput[] = [];
  let bytes = 0;
  for (const part of parts) {
    const verified = await verifyPart(out, part, {
      ...{ parts: settings.parts, signal },
      onBytes(count) {
        bytes += count;
        onProgress?.({ bytes, totalBytes: counts.bytes });
      },
    });
    shards.push(...verified.shards);
    read.push(...verified.inputs);
  }
  if (counts.documents === 0)
    throw new ByteifyError(`Nothing in the inputs of ${out} could be used.`, {
      hint: `The ${SHARD_FILE} of each shard lists what was left out, and why.`,
    });
  const inputs = readInputs(plan, read);
  const licenses = [...new Set(inputs.flatMap(({ license }) => license ?? []))].sort();
  const manifest: PreparedManifest = {
    ...{ format: 1, identity, digest: digestOf(shards.map(({ sha256 }) => sha256)) },
    ...{ settings, patcher, tokenizer, ...counts, licenses, inputs, shards },
  };
  await writeFileAtomic(join(out, PREPARED_FILE), `${JSON.stringify(manifest, null, 2)}\n`);
  return manifest;
}
