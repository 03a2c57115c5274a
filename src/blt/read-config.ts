/** @module Reads the config.json of a BLT folder. */
import { join } from 'node:path';
import { UsageError } from '../errors.js';
import { readModelJson } from '../fs/index.js';
import type { BltConfig } from './config.js';
import { parseBltConfig } from './parse-config.js';

/**
 * The config of a BLT folder.
 * @throws UsageError when the folder has none; ByteifyError when it is not JSON, or not the config of a supported BLT.
 */
export async function readBltConfig(folder: string): Promise<BltConfig> {
  const path = join(folder, 'config.json');
  const json = await readModelJson(path, 'Write or download the checkpoint again.');
  if (json === null)
    throw new UsageError(`${folder} contains no config.json.`, {
      hint: 'Give a BLT checkpoint or a conversion folder.',
    });
  return parseBltConfig(json, path);
}
