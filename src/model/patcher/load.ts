/** @module The patcher of a folder without the model around it. */
import { type BltConfig, patcherTensors } from '../../blt/index.js';
import { openCheckpoint } from '../../safetensors/index.js';
import { loadParams } from '../load-params.js';
import type { Params } from '../params.js';
import { TOKEN_END_HEAD } from './token-end-head.js';

/** The patcher's tensors, and its token-end head where there is one. The caller disposes them. */
export async function loadPatcher(folder: string, config: BltConfig): Promise<Params> {
  const own = patcherTensors(config).map(({ name }) => name);
  const reader = await openCheckpoint(folder);
  const names = reader.tensors.has(TOKEN_END_HEAD) ? [...own, TOKEN_END_HEAD] : own;
  return await loadParams(reader, names).finally(() => reader.close());
}
