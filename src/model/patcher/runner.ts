/** @module The patcher on micro-batches: compiled once for each shape, or operation by operation. */
import type { BltConfig } from '../../blt/index.js';
import { type CompiledFunction, compile, type StepMode, signatureOf, tf, type Variable } from '../../engine/index.js';
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
  mode: StepMode,
): PatcherRunner {
  const own = [...variables].filter(([name]) => name.startsWith('model.patcher.'));
  const body = (ids: tf.Tensor, documents: tf.Tensor): tf.Tensor[] => {
    const params = new Map(own.map(([name, variable]) => [name, variable.read()]));
    const [rows, length] = documents.shape as [number, number];
    return patcherOutput(params, config.patcher, { rows, length, ids, documents });
  };
  let known: { readonly signature: string; readonly compiled: CompiledFunction } | null = null;

  async function run(inputs: readonly tf.Tensor[]): Promise<tf.Tensor[]> {
    if (mode === 'eager') return tf.tidy(() => body(inputs[0]!, inputs[1]!));
    const signature = signatureOf(inputs);
    const key = JSON.stringify(signature);
    if (known?.signature !== key) {
      known?.compiled.dispose();
      known = { signature: key, compiled: compile((ids, documents) => body(ids!, documents!), signature, mode) };
    }
    return await known.compiled.call(inputs);
  }

  return {
    async of(arrays) {
      const inputs = [batchTensor(arrays.ids!), batchTensor(arrays.documents!)];
      const out = await run(inputs);
      const [entropies, endProbabilities = null] = out.map((values) => values.dataSync() as Float32Array);
      tf.dispose([...out, ...inputs]);
      return { entropies: entropies!, endProbabilities };
    },
    dispose: () => known?.compiled.dispose(),
  };
}
