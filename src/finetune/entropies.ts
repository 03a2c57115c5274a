/** @module The patcher as a compiled function: entropies of micro-batches while the run goes on. */
import type { BltConfig } from '../blt/index.js';
import { type RunMode, tensorFunction, tf, type Variable } from '../engine/index.js';
import type { BatchArrays } from './batch-arrays.js';
import type { PatcherOutput } from './batch-preparer.js';
import { patcherOutput } from './patcher-output.js';

export interface Entropies {
  /** @param arrays what `patcherArrays` made of the rows. */
  of(arrays: BatchArrays): Promise<PatcherOutput>;
  dispose(): void;
}

/** @param fixed what is held as it is, the patcher's parameters among it. @param shape of every micro-batch. */
export function createEntropies(
  config: BltConfig,
  fixed: ReadonlyMap<string, Variable>,
  shape: { readonly rows: number; readonly length: number },
  mode: RunMode,
): Entropies {
  const params = [...fixed].filter(([name]) => name.startsWith('model.patcher.'));
  const body = (ids: tf.Tensor, documents: tf.Tensor): tf.Tensor[] => {
    const values = new Map(params.map(([name, variable]) => [name, variable.read()]));
    return patcherOutput(values, config.patcher, { ...shape, ids, documents });
  };
  const signature = [
    { shape: [shape.rows * shape.length], dtype: 'int32' as const },
    { shape: [shape.rows, shape.length], dtype: 'int32' as const },
  ];
  const patcher = tensorFunction((ids, documents) => body(ids!, documents!), signature, mode);
  return {
    async of(arrays) {
      const inputs = [arrays.ids!, arrays.documents!].map(({ values, shape }) =>
        tf.tensor(values, [...shape], 'int32'),
      );
      const out = await patcher.call(inputs);
      const [entropies, endProbabilities = null] = out.map((values) => values.dataSync() as Float32Array);
      tf.dispose([...out, ...inputs]);
      return { entropies: entropies!, endProbabilities };
    },
    dispose: patcher.dispose,
  };
}
