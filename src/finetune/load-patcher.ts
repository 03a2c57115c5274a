/** @module The patcher of a folder without the model around it, and its token-end head alone. */
import { type BltConfig, bltTensors } from '../blt/index.js';
import { TOKEN_END_HEAD } from '../distill/index.js';
import type { Variable } from '../engine/index.js';
import { loadParams, loadVariable, type Params } from '../model/index.js';
import { openCheckpoint } from '../safetensors/index.js';

/** The patcher's tensors, and its token-end head where there is one. The caller disposes them. */
export async function loadPatcher(folder: string, config: BltConfig): Promise<Params> {
  const own = bltTensors(config).flatMap(({ name, part }) => (part === 'patcher' ? [name] : []));
  const reader = await openCheckpoint(folder);
  const names = reader.tensors.has(TOKEN_END_HEAD) ? [...own, TOKEN_END_HEAD] : own;
  return await loadParams(reader, names).finally(() => reader.close());
}

/** @throws ByteifyError when the patcher of the folder has none. The caller disposes it. */
export async function loadTokenEndHead(folder: string): Promise<Variable> {
  const reader = await openCheckpoint(folder);
  return await loadVariable(reader, TOKEN_END_HEAD).finally(() => reader.close());
}
