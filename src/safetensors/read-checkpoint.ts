/** @module Opens a checkpoint folder: model.safetensors, or the shards that model.safetensors.index.json lists. */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ByteifyError } from '../errors.js';
import { isThere, readFully, refuseForeignContent } from '../fs/index.js';
import { overlay } from './overlay.js';
import { checkBelow, isPartial, readOverlay, TRAINED_FILE } from './partial-checkpoint.js';
import { quoted } from './quoted.js';
import { openFile, openSafetensorsFile } from './read-file.js';
import { parseStrictObject, type Refuse } from './strict-json.js';
import type { TensorInfo, TensorReader } from './types.js';

export const SINGLE_FILE = 'model.safetensors';
export const INDEX_FILE = 'model.safetensors.index.json';

/** A plain file name, so that an index cannot name a file outside its folder. */
const SHARD_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]*\.safetensors$/;

export interface Checkpoint extends TensorReader {
  /** Paths of the weight files. */
  readonly files: readonly string[];
}

/** The same limit as for a header: an index of 1,000,000 tensors is about this long. */
const MAX_INDEX_BYTES = 100_000_000;

/**
 * Reads which file contains each tensor, by tensor name.
 * @throws ByteifyError when the index is absent or invalid, or names a file outside its folder.
 */
export async function readIndex(path: string): Promise<Map<string, string>> {
  const refuse: Refuse = (what) => {
    throw new ByteifyError(`${path} is not a valid index: ${what}.`, {
      hint: 'Download or write the checkpoint again.',
    });
  };
  const file = await openFile(path);
  try {
    const { size } = await file.stat();
    if (size > MAX_INDEX_BYTES) return refuse(`it is ${size} bytes long`);
    const bytes = new Uint8Array(size);
    await readFully(file, bytes, 0, path);
    refuseForeignContent(bytes, path);
    const { weight_map: map } = parseStrictObject(bytes, 'it', refuse);
    if (typeof map !== 'object' || map === null || Object.keys(map).length === 0) return refuse('it has no weight_map');
    for (const [name, shard] of Object.entries(map)) {
      if (typeof shard !== 'string' || !SHARD_NAME.test(shard))
        refuse(`it places ${quoted(name)} in ${quoted(shard)}, which is not the name of a safetensors file beside it`);
    }
    return new Map(Object.entries(map as Record<string, string>));
  } finally {
    await file.close();
  }
}

const APART = 'The index and the shards do not match: download or write the checkpoint again.';

/** Checks that each tensor is in the shard that the index names, and that the index lists every tensor of the shards. */
function checkIndex(path: string, map: ReadonlyMap<string, string>, shards: ReadonlyMap<string, TensorReader>): void {
  for (const [name, shard] of map) {
    if (!shards.get(shard)!.tensors.has(name))
      throw new ByteifyError(`${path} places ${quoted(name)} in ${shard}, which lacks it.`, { hint: APART });
  }
  for (const [shard, reader] of shards) {
    for (const name of reader.tensors.keys()) {
      if (map.get(name) !== shard)
        throw new ByteifyError(`${shard} contains ${quoted(name)}, which ${path} does not place there.`, {
          hint: APART,
        });
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
      if (reader === undefined) throw new ByteifyError(`${folder} lacks the tensor ${quoted(name)}.`);
      return reader.read(name, range);
    },
    folderOf: (name) => (home.has(name) ? folder : null),
    async close() {
      for (const reader of shards.values()) await reader.close();
    },
  };
}

/** Opens the tensors that a partial checkpoint reads from another folder. */
async function openBelow(folder: string, below: string, names: readonly string[]): Promise<Checkpoint> {
  const reader = existsSync(below) ? await openOwn(below) : null;
  try {
    checkBelow(folder, below, names, reader);
  } catch (error) {
    await reader?.close();
    throw error;
  }
  // The folder's other tensors do not belong to this model.
  return { ...reader!, tensors: new Map(names.map((name) => [name, reader!.tensors.get(name)!])) };
}

async function openPartial(folder: string): Promise<Checkpoint> {
  const opened = [await openOwn(folder)];
  try {
    for (const [below, names] of await readOverlay(folder)) opened.push(await openBelow(folder, below, names));
    return { ...overlay(opened), files: opened.flatMap(({ files }) => files) };
  } catch (error) {
    for (const reader of opened) await reader.close();
    throw error;
  }
}

/** PyTorch's own checkpoints, but not the optimizer or trainer states that are stored beside them. */
const PICKLED = /^(pytorch_model|model|consolidated)[^/]*\.(bin|pth|pt|ckpt)$/;

async function refuseWithoutWeights(folder: string): Promise<never> {
  const names = await readdir(folder);
  const pickled = names.find((name) => PICKLED.test(name));
  if (pickled !== undefined) {
    throw new ByteifyError(
      `${folder} has its weights only in ${pickled}, a format that can execute code when it is read.`,
      {
        hint: 'Load the model with transformers and save it again: save_pretrained writes safetensors.',
      },
    );
  }
  const other = names.find((name) => name.endsWith('.safetensors'));
  if (other !== undefined) {
    throw new ByteifyError(`${folder} contains ${other}, but neither ${SINGLE_FILE} nor ${INDEX_FILE}.`, {
      hint: 'Give the folder of a whole model, as save_pretrained of transformers writes it.',
    });
  }
  throw new ByteifyError(`${folder} contains neither ${SINGLE_FILE} nor ${INDEX_FILE}.`, {
    hint: 'Weights must be in safetensors files.',
  });
}

/**
 * Opens the weights of a checkpoint folder. If it contains both forms, the single file is used, as in transformers. A partial checkpoint
 * of a training run is read together with the folders that contain the rest (src/safetensors/partial-checkpoint.ts).
 * @throws ByteifyError when there are no weights, or a file or the index is invalid.
 */
export async function openCheckpoint(folder: string): Promise<Checkpoint> {
  return isPartial(folder) ? openPartial(folder) : openOwn(folder);
}

/** Opens the weights in the folder itself. */
async function openOwn(folder: string): Promise<Checkpoint> {
  if (isPartial(folder)) return merged(folder, await openShards(folder, [TRAINED_FILE]));
  if (isThere(join(folder, SINGLE_FILE))) return merged(folder, await openShards(folder, [SINGLE_FILE]));
  const index = join(folder, INDEX_FILE);
  if (!isThere(index)) return refuseWithoutWeights(folder);
  const map = await readIndex(index);
  const shards = await openShards(folder, [...new Set(map.values())].sort());
  try {
    checkIndex(index, map, shards);
  } catch (error) {
    for (const reader of shards.values()) await reader.close();
    throw error;
  }
  return merged(folder, shards);
}
