/** @module Opens a checkpoint folder: model.safetensors, or the shards that model.safetensors.index.json names. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ByteifyError } from '../errors.js';
import { openSafetensorsFile } from './read-file.js';
import type { TensorInfo, TensorReader } from './types.js';

export const SINGLE_FILE = 'model.safetensors';
export const INDEX_FILE = 'model.safetensors.index.json';

/** A plain file name: what an index may name without reaching outside its folder. */
const SHARD_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]*\.safetensors$/;

export interface Checkpoint extends TensorReader {
  /** Paths of the weight files. */
  readonly files: readonly string[];
}

async function readIndex(path: string): Promise<Record<string, string>> {
  let json: unknown;
  try {
    json = JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw new ByteifyError(`${path} is not JSON.`, { cause });
  }
  const map = (json as { weight_map?: unknown } | null)?.weight_map;
  if (typeof map !== 'object' || map === null || Object.keys(map).length === 0)
    throw new ByteifyError(`${path} has no weight_map.`);
  for (const [name, shard] of Object.entries(map)) {
    if (typeof shard !== 'string' || !SHARD_NAME.test(shard)) {
      throw new ByteifyError(
        `${path} places ${name} in ${JSON.stringify(shard)}, which is not the name of a file beside it.`,
      );
    }
  }
  return map as Record<string, string>;
}

/** Each tensor must lie where the index says, and each that lies in a shard must be in the index. */
function checkIndex(path: string, map: Record<string, string>, shards: ReadonlyMap<string, TensorReader>): void {
  for (const [name, shard] of Object.entries(map)) {
    if (!shards.get(shard)!.tensors.has(name))
      throw new ByteifyError(`${path} places ${name} in ${shard}, which lacks it.`);
  }
  for (const [shard, reader] of shards) {
    for (const name of reader.tensors.keys()) {
      if (map[name] !== shard) throw new ByteifyError(`${shard} holds ${name}, which ${path} does not place there.`);
    }
  }
}

async function openShards(folder: string, names: readonly string[]): Promise<Map<string, TensorReader>> {
  const shards = new Map<string, TensorReader>();
  try {
    for (const name of names) shards.set(name, await openSafetensorsFile(join(folder, name)));
    return shards;
  } catch (error) {
    for (const reader of shards.values()) await reader.close();
    throw error;
  }
}

function merged(folder: string, shards: ReadonlyMap<string, TensorReader>): Checkpoint {
  const tensors = new Map<string, TensorInfo>();
  const home = new Map<string, TensorReader>();
  for (const reader of shards.values()) {
    for (const [name, info] of reader.tensors) {
      tensors.set(name, info);
      home.set(name, reader);
    }
  }
  return {
    tensors,
    metadata: Object.assign({}, ...[...shards.values()].map(({ metadata }) => metadata)),
    files: [...shards.keys()].map((name) => join(folder, name)),
    async read(name, range) {
      const reader = home.get(name);
      if (reader === undefined) throw new ByteifyError(`${folder} lacks the tensor ${name}.`);
      return reader.read(name, range);
    },
    async close() {
      for (const reader of shards.values()) await reader.close();
    },
  };
}

/** @throws ByteifyError when there are no weights, or a file or the index is not sound. */
export async function openCheckpoint(folder: string): Promise<Checkpoint> {
  const index = join(folder, INDEX_FILE);
  if (!existsSync(index)) {
    if (!existsSync(join(folder, SINGLE_FILE))) {
      throw new ByteifyError(`${folder} holds neither ${SINGLE_FILE} nor ${INDEX_FILE}.`, {
        hint: 'Weights must be in safetensors files.',
      });
    }
    return merged(folder, await openShards(folder, [SINGLE_FILE]));
  }
  const map = await readIndex(index);
  const shards = await openShards(folder, [...new Set(Object.values(map))].sort());
  try {
    checkIndex(index, map, shards);
  } catch (error) {
    for (const reader of shards.values()) await reader.close();
    throw error;
  }
  return merged(folder, shards);
}
