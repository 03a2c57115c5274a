/** @module Writes a checkpoint's weights as one file, or as shards with their index. */
import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { INDEX_FILE, SINGLE_FILE } from './read-checkpoint.js';
import { type TensorInfo, tensorBytes } from './types.js';
import { type TensorSource, type WriteOptions, writeSafetensorsFile } from './write-file.js';

/** What transformers' save_pretrained does: hubs and file systems are content with it. */
const DEFAULT_SHARD_BYTES = 5e9;

export interface WrittenCheckpoint {
  /** Names of the files, the index included. */
  readonly files: string[];
  /** Of the tensors. */
  readonly totalBytes: number;
}

/** Fills shards in order; a tensor larger than a shard has one for itself. */
function intoShards(tensors: readonly TensorInfo[], maxBytes: number): TensorInfo[][] {
  const shards: TensorInfo[][] = [];
  let room = 0;
  for (const tensor of tensors) {
    const size = tensorBytes(tensor);
    if (shards.length === 0 || size > room) {
      shards.push([]);
      room = maxBytes;
    }
    shards.at(-1)!.push(tensor);
    room -= size;
  }
  return shards.length === 0 ? [[]] : shards;
}

function shardName(index: number, count: number): string {
  if (count === 1) return SINGLE_FILE;
  const five = (value: number) => String(value).padStart(5, '0');
  return `model-${five(index + 1)}-of-${five(count)}.safetensors`;
}

async function writeText(path: string, text: string): Promise<void> {
  const file = await open(`${path}.tmp-${process.pid}`, 'w');
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.tmp-${process.pid}`, path);
}

/** Pulls the tensors in the given order, a piece at a time in memory. The index comes last: without it shards are no checkpoint. */
export async function writeCheckpoint(
  folder: string,
  tensors: readonly TensorInfo[],
  source: TensorSource,
  options: WriteOptions & { readonly maxShardBytes?: number } = {},
): Promise<WrittenCheckpoint> {
  const shards = intoShards(tensors, options.maxShardBytes ?? DEFAULT_SHARD_BYTES);
  const totalBytes = tensors.reduce((sum, tensor) => sum + tensorBytes(tensor), 0);
  const files = shards.map((_, i) => shardName(i, shards.length));
  for (const [i, shard] of shards.entries())
    await writeSafetensorsFile(join(folder, files[i]!), shard, source, options);
  if (shards.length === 1) return { files, totalBytes };
  const map = Object.fromEntries(shards.flatMap((shard, i) => shard.map(({ name }) => [name, files[i]!] as const)));
  await writeText(
    join(folder, INDEX_FILE),
    `${JSON.stringify({ metadata: { total_size: totalBytes }, weight_map: map }, null, 2)}\n`,
  );
  return { files: [...files, INDEX_FILE], totalBytes };
}
