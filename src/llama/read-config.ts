/** @module Reads config.json from a source's folder. */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ByteifyError } from '../errors.js';
import { type JsonObject, readModelJson } from '../fs/index.js';

export const BROKEN_CONFIG = 'Download the model again, or correct the file.';

const ADAPTER_CONFIG = 'adapter_config.json';
const ADAPTER_WEIGHTS = /^adapter_model\.(safetensors|bin)$/;

/** A folder with a peft adapter looks like a model, and transformers would load the base model that the adapter names. */
async function refuseAdapter(folder: string): Promise<void> {
  const path = join(folder, ADAPTER_CONFIG);
  if (!existsSync(path)) return;
  const names = await readdir(folder);
  const isAdapter = names.some((name) => ADAPTER_WEIGHTS.test(name)) || !names.includes('config.json');
  if (!isAdapter) return;
  const base = (await readModelJson(path, BROKEN_CONFIG))?.base_model_name_or_path;
  const of = typeof base === 'string' ? ` to ${base}` : '';
  throw new ByteifyError(
    `${folder} contains an adapter${of} (${ADAPTER_CONFIG}), which cannot be converted by itself.`,
    {
      hint: 'Merge it into its base model with peft’s merge_and_unload() and save the result.',
    },
  );
}

/**
 * Reads the config of a transformers folder without checking its values.
 * @throws ByteifyError when there is no config, when the folder contains an adapter, or when the file is not JSON.
 */
export async function readConfigJson(folder: string): Promise<JsonObject> {
  await refuseAdapter(folder);
  const json = await readModelJson(join(folder, 'config.json'), BROKEN_CONFIG);
  if (json !== null) return json;
  throw new ByteifyError(`${folder} contains no config.json.`, {
    hint: 'Give a folder that transformers can load, or a .gguf file.',
  });
}
