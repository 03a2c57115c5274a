/** @module Checks that an exported folder has everything that transformers loads, and that the files match. */
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { bltTensors, readBltConfig } from '../blt/index.js';
import { ByteifyError } from '../errors.js';
import { parseJson } from '../fs/index.js';
import { elementCount, isPartial, openCheckpoint } from '../safetensors/index.js';
import { checkTensors } from './check-tensors.js';

export interface CheckedExport {
  readonly tensors: number;
  readonly parameters: number;
  /** Paths of the weight files. */
  readonly weightFiles: readonly string[];
}

/** Required in addition to config.json and the weights. */
const REQUIRED = ['README.md', 'generation_config.json', 'tokenizer.json', 'tokenizer_config.json'] as const;

const HINT = 'Export again.';

async function readRequired(folder: string, name: string): Promise<void> {
  const text = await readFile(join(folder, name), 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'ENOENT') throw cause;
    throw new ByteifyError(`${folder} lacks ${name}.`, { hint: HINT, cause });
  });
  if (name.endsWith('.json')) parseJson(text, join(folder, name), HINT);
}

/** A shard of an earlier export would be published although nothing reads it. */
async function refuseStrayWeights(folder: string, files: readonly string[]): Promise<void> {
  const known = files.map((file) => basename(file));
  const stray = (await readdir(folder)).find((name) => name.endsWith('.safetensors') && !known.includes(name));
  if (stray === undefined) return;
  throw new ByteifyError(`${folder} contains ${stray}, which is not part of its checkpoint.`, {
    hint: 'Remove it, or export again.',
  });
}

/**
 * Reads the config, the headers and the index, but no weights.
 * @throws ByteifyError naming what is missing or inconsistent: the config, a shard, a tensor, a file's length, the tokenizer, the card.
 */
export async function checkExport(folder: string): Promise<CheckedExport> {
  if (isPartial(folder)) {
    throw new ByteifyError(`${folder} is a training checkpoint, which contains only the trained tensors.`, {
      hint: 'Export a complete model first: `byteify export`.',
    });
  }
  const config = await readBltConfig(folder);
  const reader = await openCheckpoint(folder);
  try {
    const stored = checkTensors(bltTensors(config), reader.tensors, folder);
    await refuseStrayWeights(folder, reader.files);
    for (const name of REQUIRED) await readRequired(folder, name);
    return {
      tensors: stored.length,
      parameters: stored.reduce((sum, { shape }) => sum + elementCount(shape), 0),
      weightFiles: reader.files,
    };
  } finally {
    await reader.close();
  }
}
