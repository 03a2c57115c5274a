/** @module The patcher runner: runs the patcher on rows of bytes, compiled once per shape, or uncompiled. */
import type { BltConfig } from '../../blt/index.js';
import { type RunMode, retracedFunction, tf, type Variable } from '../../engine/index.js';
import type { Arrays, BatchWith, PatcherOutput } from '../../patching/index.js';
import { batchInputs, PATCHER_FIELDS } from '../batch-tensors.js';
import { patcherTensors, takeOutput } from './output.js';

export interface PatcherRunner {
  /**
   * Runs the patcher on each position [rows * length].
   * @param batch during training, a result of `withDocuments`, so that the trace does not depend on the contents of the rows
   */
  run(batch: BatchWith<Arrays, (typeof PATCHER_FIELDS)[number]>): Promise<PatcherOutput>;
  dispose(): void;
}

/**
 * Creates a patcher runner. The engine must be started.
 * @param variables include the patcher's parameters, by their names in the checkpoint; the caller disposes them
 */
export function createPatcherRunner(
  config: BltConfig,
  variables: ReadonlyMap<string, Variable>,
  mode: RunMode,
): PatcherRunner {
  const own = [...variables].filter(([name]) => name.startsWith('model.patcher.'));
  const patcher = retracedFunction(mode);
  return {
    async run(batch) {
      const { tensors, key, batchOf } = batchInputs(batch, PATCHER_FIELDS);
      const body = (given: readonly tf.Tensor[]) => {
        const params = new Map(own.map(([name, variable]) => [name, variable.read()]));
        return patcherTensors(params, config.patcher, batchOf(given));
      };
      const output = takeOutput(await patcher.call(body, tensors, key));
      tf.dispose([...tensors]);
      return output;
    },
    dispose: () => patcher.dispose(),
  };
}
