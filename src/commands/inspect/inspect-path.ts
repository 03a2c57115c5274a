/** @module Inspects whatever a path points to. Reads headers and configs, never weights. */

import { existsSync, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parseBltConfig } from '../../blt/index.js';
import { MANIFEST_NAME, resolveCheckpoint } from '../../conversion/index.js';
import { ByteifyError, UsageError } from '../../errors.js';
import { missingPath, readModelJson } from '../../fs/index.js';
import { openGguf } from '../../gguf/index.js';
import { parseLlamaConfig } from '../../llama/index.js';
import { openCheckpoint, openSafetensorsFile, type TensorReader } from '../../safetensors/index.js';
import { bltFacts, ggufFacts, llamaFacts } from './facts.js';
import { type Inspection, inspection } from './inspection.js';
import { partFinder } from './parts.js';

const PATH_HINT = 'Give a weights file, a checkpoint folder, a conversion folder or a hub id.';

/**
 * Inspects a weights file, a checkpoint folder or a conversion folder.
 * @throws UsageError when the path does not exist or is none of these; ByteifyError when a file contains no tensors
 */
export async function inspectPath(path: string): Promise<Inspection> {
  if (!existsSync(path)) throw missingPath(path, PATH_HINT);
  if (statSync(path).isDirectory()) return inspectFolder(path);
  const name = path.toLowerCase();
  if (name.endsWith('.gguf')) return inspectGguf(path);
  if (name.endsWith('.safetensors')) {
    const reader = await openSafetensorsFile(path);
    return read(reader, { kind: 'safetensors', path, config: {} });
  }
  throw new UsageError(`${path} is neither a .safetensors nor a .gguf file.`, {
    hint: PATH_HINT,
  });
}

async function inspectFolder(path: string): Promise<Inspection> {
  const own = await onlyGguf(path);
  if (own !== null && !existsSync(join(path, MANIFEST_NAME))) return inspectGguf(own);
  const { folder, modelType } = await resolveCheckpoint(path, { prefer: ['export', 'run', 'init', 'source'] });
  const gguf = await onlyGguf(folder);
  if (gguf !== null) return inspectGguf(gguf);
  const where = join(folder, 'config.json');
  const json = await readModelJson(where, PATH_HINT);
  if (modelType === 'blt') {
    const config = bltFacts(parseBltConfig(json, where));
    return read(await openCheckpoint(folder), { kind: 'blt', path: folder, config });
  }
  const config = llamaFacts(parseLlamaConfig(json, where));
  return read(await openCheckpoint(folder), { kind: 'llama', path: folder, config });
}

/** The only weights file of a folder, if that is GGUF: a source imported from GGUF has a config.json beside it. */
async function onlyGguf(folder: string): Promise<string | null> {
  const names = await readdir(folder);
  const name = names.some((file) => file.endsWith('.safetensors'))
    ? undefined
    : names.find((file) => file.toLowerCase().endsWith('.gguf'));
  return name === undefined ? null : join(folder, name);
}

async function inspectGguf(path: string): Promise<Inspection> {
  const file = await openGguf(path);
  return read(file, { kind: 'gguf', path, config: ggufFacts(file.keyValues) }, file.storedTypes);
}

async function read(
  reader: TensorReader,
  about: Pick<Inspection, 'kind' | 'path' | 'config'>,
  storedTypes?: ReadonlyMap<string, string>,
): Promise<Inspection> {
  try {
    if (reader.tensors.size === 0)
      throw new ByteifyError(`${about.path} contains no tensors.`, { hint: 'Download or write the file again.' });
    const partOf = partFinder(reader.tensors.keys());
    const tensors = [...reader.tensors.values()].map(({ name, dtype, shape }) => ({
      name,
      dtype: storedTypes?.get(name) ?? dtype,
      shape,
      part: partOf(name),
    }));
    return inspection({ ...about, metadata: reader.metadata }, tensors);
  } finally {
    await reader.close();
  }
}
