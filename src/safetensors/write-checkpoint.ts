/** @module Writes a checkpoint's weights as one file, or as shards with an index. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { INDEX_FILE, SINGLE_FILE } from './read-checkpoint.js';
import { type TensorInfo, tensorBytes } from './types.js';
import { writeAtomic } from './write-atomic.js';
import { type TensorSource, type WriteOptions, writeSafetensorsFile } from './write-file.js';

/** The default of transformers' save_pretrained, which hubs and file systems handle well. */
const DEFAULT_SHARD_BYTES = 5e9;

export interface WrittenCheckpoint {
  /** Names of the files, including the index. */
  readonly files: string[];
  /** Bytes of all tensors together. */
  readonly totalBytes: number;
}

/** Fills shards in order. A tensor larger than a shard gets a shard of its own. */
function intoShards(tensors: readonly TensorInfo[], maxBytes: number): TensorInfo[][] {
  const shards: TensorInfo[][] = [];
  let freeBytes = 0;
  for (const tensor of tensors) {
    const size = tensorBytes(tensor);
    if (shards.length === 0 || size > freeBytes) {
      shards.push([]);
      freeBytes = maxBytes;
    }
    shards.at(-1)!.push(tensor);
    freeBytes -= size;
  }
  return shards.length === 0 ? [[]] : shards;
}

function shardName(index: number, count: number): string {
  if (count === 1) return SINGLE_FILE;
  const five = (value: number) => String(value).padStart(5, '0');
  return `model-${five(index + 1)}-of-${five(count)}.safetensors`;
}

/**
 * Writes the tensors in the given order, with one chunk in memory at a time. The index is written last: without it, shards are not a
 * checkpoint, and an older index in the folder never refers to the new shards.
 * @throws ByteifyError as writeSafetensorsFile does; the shards written so far are removed.
 */
export async function writeCheckpoint(
  folder: string,
  tensors: readonly TensorInfo[],
  source: TensorSource,
  options: WriteOptions & { readonly maxShardBytes?: number } = {},
): Promise<WrittenCheckpoint> {
  const shards = intoShards(tensors, options.maxShardBytes ?? DEFAULT_SHARD_BYTES);
  const totalBytes = tensors.reduce((sum, tensor) => sum + tensorBytes(tensor), 0);
  const files = shards.map((_, i) => shardName(i, shards.length));
  const index = join(folder, INDEX_FILE);
  if (shards.length === 1) {
    await writeSafetensorsFile(join(folder, SINGLE_FILE), tensors, source, options);
    await rm(index, { force: true });
    return { files, totalBytes };
  }
  await rm(index, { force: true });
  const written: string[] = [];
  try {
    for (const [i, shard] of shards.entries()) {
      const path = join(folder, files[i]!);
      await writeSafetensorsFile(path, shard, source, options);
      written.push(path);
    }
  } catch (error) {
    for (const path of written) await rm(path, { force: true });
    throw error;
  }
  const map = Object.fromEntries(shards.flatMap((shard, i) => shard.map(({ name }) => [name, files[i]!] as const)));
  const json = `${JSON.stringify({ metadata: { total_size: totalBytes }, weight_map: map }, null, 2)}\n`;
  await writeAtomic(index, (write) => write(new TextEncoder().encode(json)));
  // A single file would be read instead of the shards.
  await rm(join(folder, SINGLE_FILE), { force: true });
  return { files: [...files, INDEX_FILE], totalBytes };
}
