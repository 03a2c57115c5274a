/** @module A BLT whose weights are variables: compiled functions read them without a copy. */
import { type BltConfig, bltTensors, type TensorSpec } from '../../blt/index.js';
import { canCompile, type tf, type Variable } from '../../engine/index.js';
import { openCheckpoint } from '../../safetensors/index.js';
import { loadVariable } from '../load-params.js';
import { readBltConfig } from '../open-blt.js';
import type { Params } from '../params.js';

export interface ResidentModel {
  readonly config: BltConfig;
  /** By the names of the checkpoint. */
  readonly weights: ReadonlyMap<string, Variable>;
}

/** Reads a variable when its tensor is first asked for; what was asked for are its entries. */
class ReadWhenUsed extends Map<string, tf.Tensor> {
  readonly #weights: ResidentModel['weights'];

  constructor(weights: ResidentModel['weights']) {
    super();
    this.#weights = weights;
  }

  override get(name: string): tf.Tensor | undefined {
    const variable = this.#weights.get(name);
    if (variable !== undefined && !super.has(name)) super.set(name, variable.readFrozen());
    return super.get(name);
  }
}

/**
 * The weights as tensors, which share their memory. They belong to the caller, or to a trace: a compiled function is handed every variable that
 * it reads at each call, so it reads none that it does not use.
 */
export const residentParams = ({ weights }: ResidentModel): Params => new ReadWhenUsed(weights);

/** How the weights of products are held; all else is float32, and so is what is computed. */
export type WeightsType = 'float32' | 'bfloat16';

/** Embeddings are looked up, and vectors are no products. */
const isOfProducts = ({ name, shape }: TensorSpec) =>
  shape.length === 2 && !/embed_tokens|hash_tok_embedding/.test(name);

/**
 * Loads every tensor, or the patcher's alone. The engine must be started.
 * @param options.weights bfloat16 is half the memory to read for each byte, and the same values where the checkpoint is in it; XLA alone
 * computes with it without making float32 of all first. Default: as the checkpoint, where steps are compiled; else float32.
 * @throws ByteifyError when the folder holds no BLT, or lacks a tensor.
 */
export async function openResidentModel(
  folder: string,
  options: { readonly weights?: WeightsType | undefined; readonly only?: 'patcher' } = {},
): Promise<ResidentModel & { dispose(): void }> {
  const config = await readBltConfig(folder);
  const reader = await openCheckpoint(folder);
  const weights = new Map<string, Variable>();
  const dispose = () => {
    for (const variable of weights.values()) variable.dispose();
  };
  try {
    for (const tensor of bltTensors(config)) {
      if (options.only === 'patcher' && !tensor.name.startsWith('model.patcher.')) continue;
      const stored = reader.tensors.get(tensor.name)?.dtype === 'BF16' && canCompile() ? 'bfloat16' : 'float32';
      const storage = isOfProducts(tensor) ? (options.weights ?? stored) : 'float32';
      weights.set(tensor.name, await loadVariable(reader, tensor.name, { storage }));
    }
  } catch (error) {
    dispose();
    throw error;
  } finally {
    await reader.close();
  }
  return { config, weights, dispose };
}
