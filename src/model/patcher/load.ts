/** @module Loads only the patcher of a checkpoint. */
import { type BltConfig, patcherTensors } from '../../blt/index.js';
import { openCheckpoint } from '../../safetensors/index.js';
import { loadParams } from '../load-params.js';
import type { Params } from '../params.js';
import { TOKEN_END_HEAD } from './token-end-head.js';

/** Loads the patcher's tensors and, if there is one, its token-end head, as float32. The caller disposes them. @throws ByteifyError if one is missing. */
export async function loadPatcher(folder: string, config: BltConfig): Promise<Params> {
  const own = patcherTensors(config).map(({ name }) => name);
  const reader = await openCheckpoint(folder);
  const names = reader.tensors.has(TOKEN_END_HEAD) ? [...own, TOKEN_END_HEAD] : own;
  return await loadParams(reader, names).finally(() => reader.close());
}
