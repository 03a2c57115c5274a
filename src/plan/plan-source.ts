/** @module Reads what a plan needs of the source: its config, and the size of its weights. */

import { existsSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parseModelJson } from '../fs/index.js';
import { type LlamaConfig, llamaTensors, openLlama, parseLlamaConfig } from '../llama/index.js';
import { elementCount } from '../safetensors/index.js';

export interface PlanSource {
  readonly config: LlamaConfig;
  /** Size of the weights on disk, or after a download. */
  readonly weightBytes: number;
  /** Bytes per weight of a tensor that keeps its type: 2 for bfloat16 and float16, 4 for float32 and quantised types. */
  readonly bytesPerWeight: 2 | 4;
}

/** Reads a transformers folder, where the config.json is enough, or a .gguf file. */
export async function localPlanSource(path: string): Promise<PlanSource> {
  const configPath = join(path, 'config.json');
  if (!existsSync(configPath)) return ggufPlanSource(path);
  const source = configPlanSource(await readFile(configPath, 'utf8'), configPath);
  const weights = (await readdir(path)).filter((name) => name.endsWith('.safetensors'));
  if (weights.length === 0) return source;
  const sizes = await Promise.all(weights.map((name) => stat(join(path, name))));
  return { ...source, weightBytes: sizes.reduce((sum, { size }) => sum + size, 0) };
}

/** Reads the text of a config.json; the size of the weights follows from the config. */
export function configPlanSource(text: string, where: string): PlanSource {
  const json = parseModelJson(new TextEncoder().encode(text), where, 'Download the model again, or correct the file.');
  const config = parseLlamaConfig(json, where);
  // transformers 5 writes dtype, earlier ones torch_dtype; without either the weights are float32.
  const { dtype, torch_dtype } = json;
  const bytesPerWeight = ['bfloat16', 'float16'].includes(String(dtype ?? torch_dtype)) ? 2 : 4;
  const parameters = llamaTensors(config).reduce((sum, { shape }) => sum + elementCount(shape), 0);
  return { config, weightBytes: parameters * bytesPerWeight, bytesPerWeight };
}

async function ggufPlanSource(path: string): Promise<PlanSource> {
  const source = await openLlama(path);
  try {
    const isHalf = [...source.reader.tensors.values()].every(({ dtype }) => dtype === 'BF16' || dtype === 'F16');
    const file = path.endsWith('.gguf')
      ? path
      : join(path, (await readdir(path)).find((name) => name.endsWith('.gguf'))!);
    return { config: source.config, weightBytes: (await stat(file)).size, bytesPerWeight: isHalf ? 2 : 4 };
  } finally {
    await source.close();
  }
}
