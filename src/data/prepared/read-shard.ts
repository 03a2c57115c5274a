/** @module Reads the documents of a shard, and checks its bytes against the digests of its record. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ByteifyError } from '../../errors.js';
import { digestOfFile } from '../../fs/index.js';
import { systemCode } from '../../system-errors.js';
import type { DocumentsOptions, Found } from '../found.js';
import { Unusable } from '../refusal.js';
import { readEnds } from '../split-ends.js';
import { DOCUMENT_ENDS_FILE, DOCUMENTS_FILE, readShardManifest, SHARD_FILE, type ShardManifest } from './manifests.js';

/** Whether a path is the record of a shard: what a prepared folder lists as its files. */
export const isShard = (path: string): boolean => basename(path) === SHARD_FILE;

/** What to do with a shard that cannot be read. */
export const SHARD_HINT =
  'Remove it, run `byteify prepare` with the same options again, which writes it anew, and merge again if there are several parts.';

export const damagedShard = (folder: string, what: string, cause?: unknown): ByteifyError =>
  new ByteifyError(`The shard ${folder} is damaged: ${what}.`, { hint: SHARD_HINT, cause });

/** The record of a shard. @throws ByteifyError if it is missing or invalid */
export async function shardManifest(folder: string): Promise<ShardManifest> {
  const manifest = await readShardManifest(folder);
  if (manifest === null) throw damagedShard(folder, `${SHARD_FILE} is missing`);
  return manifest;
}

/** Checks that a shard's files exist and have their sizes. @throws ByteifyError naming the shard */
export async function checkShardSizes(folder: string, { files }: ShardManifest): Promise<void> {
  for (const [name, { size_bytes }] of Object.entries(files)) {
    const found = await stat(join(folder, name)).catch((error: unknown) => {
      if (systemCode(error) === 'ENOENT') throw damagedShard(folder, `${name} is missing`, error);
      throw error;
    });
    if (found.size !== size_bytes)
      throw damagedShard(folder, `${name} has ${found.size} bytes instead of ${size_bytes}`);
  }
}

/** Checks all bytes of a shard. @throws ByteifyError naming the shard; the signal's reason */
export async function verifyShard(folder: string, manifest: ShardManifest, signal?: AbortSignal): Promise<void> {
  await checkShardSizes(folder, manifest);
  for (const [name, { sha256 }] of Object.entries(manifest.files)) {
    const digest = await digestOfFile(join(folder, name), signal && { signal });
    if (digest !== sha256) throw damagedShard(folder, `${name} does not match its sha256`);
  }
}

/** Yields pieces of a file that end at these offsets. */
async function* piecesOf(path: string, ends: Float64Array, onBytes: (bytes: Uint8Array) => void) {
  let kept: Uint8Array = new Uint8Array();
  let begin = 0;
  let next = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 })) {
    onBytes(chunk as Uint8Array);
    kept = kept.length === 0 ? (chunk as Uint8Array) : Buffer.concat([kept, chunk as Uint8Array]);
    let used = 0;
    for (; next < ends.length && ends[next]! - begin <= kept.length - used; next++) {
      const length = ends[next]! - begin;
      yield kept.subarray(used, used + length);
      used += length;
      begin += length;
    }
    kept = kept.subarray(used);
  }
}

/**
 * Streams the documents of a shard, each as a whole.
 * @param options.path of its `byteify-shard.json`, whose bytes `onStored` is given: they contain the digests of the others
 * @throws ByteifyError if the shard is damaged, which may only show at its end; the signal's reason
 */
export async function* shardDocuments({ path, kind, onStored, signal }: DocumentsOptions): AsyncGenerator<Found> {
  const folder = dirname(path);
  const manifest = await shardManifest(folder);
  await checkShardSizes(folder, manifest);
  if (kind === 'text' && manifest.kind === 'bytes')
    throw new Unusable('it was prepared with --kind bytes, and its domain is of text');
  for await (const chunk of createReadStream(path)) onStored(chunk as Uint8Array);
  const bytesPath = join(folder, DOCUMENTS_FILE);
  const ends = await readEnds(join(folder, DOCUMENT_ENDS_FILE), SHARD_HINT);
  const hash = createHash('sha256');
  let offset = 0;
  for await (const bytes of piecesOf(bytesPath, ends, (chunk) => hash.update(chunk))) {
    signal?.throwIfAborted();
    yield { bytes, ends: true, place: { path: bytesPath, offset } };
    offset += bytes.length;
  }
  if (hash.digest('hex') !== manifest.files[DOCUMENTS_FILE]?.sha256)
    throw damagedShard(folder, `${DOCUMENTS_FILE} does not match its sha256`);
}
