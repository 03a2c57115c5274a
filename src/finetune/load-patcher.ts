/** @module The patcher of a folder for measuring: without the model around it. */
import { type BltConfig, bltTensors } from '../blt/index.js';
import { tokenEndHead } from '../distill/index.js';
import { loadParams, type Params } from '../model/index.js';
import type { TensorReader } from '../safetensors/index.js';

/** The patcher's tensors, and its token-end head where there is one. The caller disposes them. */
export async function loadPatcher(reader: TensorReader, config: BltConfig): Promise<Params> {
  const own = bltTensors(config).filter(({ part }) => part === 'patcher');
  const extra = [tokenEndHead(config)].filter(({ name }) => reader.tensors.has(name));
  return await loadParams(
    reader,
    [...own, ...extra].map(({ name }) => name),
  );
}
