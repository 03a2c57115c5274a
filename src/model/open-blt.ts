/** @module Opens a BLT checkpoint folder for inference. */
import { type BltConfig, bltTensors, readBltConfig } from '../blt/index.js';
import { openCheckpoint } from '../safetensors/index.js';
import { disposeParams, loadParams } from './load-params.js';
import type { Params } from './params.js';

export interface BltModel {
  readonly config: BltConfig;
  readonly params: Params;
  dispose(): void;
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
