/** @module A BLT whose weights are variables, which compiled functions read without a copy. */
import { type BltConfig, bltTensors, readBltConfig, type TensorSpec } from '../../blt/index.js';
import type { tf, Variable } from '../../engine/index.js';
import { openCheckpoint } from '../../safetensors/index.js';
import { loadVariable } from '../load-params.js';
import type { Params } from '../params.js';

export interface ResidentModel {
  readonly config: BltConfig;
  /** Weights by their names in the checkpoint. */
  readonly weights: ReadonlyMap<string, Variable>;
}

/** Reads a variable when its tensor is first requested; the entries are the tensors read so far. */
class LazyParams extends Map<string, tf.Tensor> {
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
 * The weights as tensors, which share the variables' memory. They belong to the caller or to a trace. They are read lazily, because a compiled
 * function is passed every variable that it reads at each call.
 */
export const residentParams = ({ weights }: ResidentModel): Params => new LazyParams(weights);

/** The type of the weights of matrix products in memory. All other weights, and all computations, are float32. */
export type WeightsType = 'float32' | 'bfloat16';

/** Whether a weight is multiplied as a matrix: embedding tables are only gathered from, and norms are vectors. */
const isProjection = ({ name, shape }: TensorSpec) =>
  shape.length === 2 && !/embed_tokens|hash_tok_embedding/.test(name);

/**
 * Loads every tensor that an output depends on, or only the patcher's. The engine must be started.
 * @param options.weights bfloat16 halves the memory read per byte, and loses nothing if the checkpoint is bfloat16, but only XLA can use it
 * without first converting all weights to float32. Default: the checkpoint's type if steps are compiled, else float32.
 * @param options.only loads only the patcher
 * @throws ByteifyError if the folder contains no BLT, or a tensor is missing.
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
      if (tensor.unused || (options.only === 'patcher' && tensor.part !== 'patcher')) continue;
      const stored = reader.tensors.get(tensor.name)?.dtype === 'BF16' ? 'bfloat16' : 'float32';
      const storage = isProjection(tensor) ? (options.weights ?? stored) : 'float32';
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
