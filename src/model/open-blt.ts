/** @module Opens a BLT checkpoint folder for inference. */
import { join } from 'node:path';
import { type BltConfig, bltTensors, parseBltConfig } from '../blt/index.js';
import { UsageError } from '../errors.js';
import { readModelJson } from '../fs/index.js';
import { openCheckpoint } from '../safetensors/index.js';
import { disposeParams, loadParams } from './load-params.js';
import type { Params } from './params.js';

export interface BltModel {
  readonly config: BltConfig;
  readonly params: Params;
  dispose(): void;
}

/**
 * Reads the config.json of a BLT folder.
 * @throws UsageError if it is missing. @throws ByteifyError if it is not JSON, or not the config of a BLT.
 */
export async function readBltConfig(folder: string): Promise<BltConfig> {
  const path = join(folder, 'config.json');
  const json = await readModelJson(path, 'Write or download the checkpoint again.');
  if (json === null)
    throw new UsageError(`${folder} contains no config.json.`, {
      hint: 'Name a BLT checkpoint or a conversion folder.',
    });
  return parseBltConfig(json, path);
}

/** Loads every tensor as float32. The engine must be started. @throws ByteifyError if the folder contains no BLT, or a tensor is missing. */
export async function openBlt(folder: string): Promise<BltModel> {
  const config = await readBltConfig(folder);
  const reader = await openCheckpoint(folder);
  try {
    const params = await loadParams(
      reader,
      bltTensors(config).map(({ name }) => name),
    );
    return { config, params, dispose: () => disposeParams(params) };
  } finally {
    await reader.close();
  }
}
