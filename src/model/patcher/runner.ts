/** @module The patcher on micro-batches: compiled once for each shape, or operation by operation. */
import type { BltConfig } from '../../blt/index.js';
import { type RunMode, reshapingFunction, tf, type Variable } from '../../engine/index.js';
import type { BatchArrays, PatcherOutput } from '../../patching/index.js';
import { batchTensor } from '../batch-tensors.js';
import { patcherOutput } from './output.js';

export interface PatcherRunner {
  /** @param arrays what `patcherArrays` made of rows of bytes. */
  of(arrays: BatchArrays): Promise<PatcherOutput>;
  dispose(): void;
}

/**
 * The engine must be started.
 * @param variables the patcher's parameters are among them, by their names in a checkpoint; the caller disposes them.
 */
export function createPatcherRunner(
  config: BltConfig,
  variables: ReadonlyMap<string, Variable>,
  mode: RunMode,
): PatcherRunner {
  const own = [...variables].filter(([name]) => name.startsWith('model.patcher.'));
  const patcher = reshapingFunction((ids, documents) => {
    const params = new Map(own.map(([name, variable]) => [name, variable.read()]));
    const [rows, length] = documents!.shape as [number, number];
    return patcherOutput(params, config.patcher, { rows, length, ids: ids!, documents: documents! });
  }, mode);
  return {
    async of(arrays) {
      const inputs = [batchTensor(arrays.ids!), batchTensor(arrays.documents!)];
      const out = await patcher.call(inputs);
      const [entropies, endProbabilities = null] = out.map((values) => values.dataSync() as Float32Array);
      tf.dispose([...out, ...inputs]);
      return { entropies: entropies!, endProbabilities };
    },
    dispose: patcher.dispose,
  };
}
