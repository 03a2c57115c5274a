/** @module A BLT whose weights are variables: compiled functions read them without a copy. */
import { type BltConfig, bltTensors } from '../../blt/index.js';
import type { Variable } from '../../engine/index.js';
import { openCheckpoint } from '../../safetensors/index.js';
import { loadVariable } from '../load-params.js';
import { readBltConfig } from '../open-blt.js';
import type { Params } from '../params.js';

export interface HeldBlt {
  readonly config: BltConfig;
  /** By the names of the checkpoint. */
  readonly weights: ReadonlyMap<string, Variable>;
}

/** The weights as tensors, which share their memory. They belong to the caller, or to a trace. */
export const heldParams = ({ weights }: HeldBlt): Params =>
  new Map([...weights].map(([name, variable]) => [name, variable.readHeld()]));

/**
 * Loads every tensor as float32. The engine must be started.
 * @throws ByteifyError when the folder holds no BLT, or lacks a tensor.
 */
export async function openHeldBlt(folder: string): Promise<HeldBlt & { dispose(): void }> {
  const config = await readBltConfig(folder);
  const reader = await openCheckpoint(folder);
  const weights = new Map<string, Variable>();
  const dispose = () => {
    for (const variable of weights.values()) variable.dispose();
  };
  try {
    for (const { name } of bltTensors(config)) weights.set(name, await loadVariable(reader, name));
  } catch (error) {
    dispose();
    throw error;
  } finally {
    await reader.close();
  }
  return { config, weights, dispose };
}
