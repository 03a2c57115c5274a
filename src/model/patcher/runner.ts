/** @module The patcher as a compiled function: entropies of micro-batches while the run goes on. */
import type { BltConfig } from '../../blt/index.js';
import { type CompiledFunction, compile, tf, type Variable } from '../../engine/index.js';
import type { BatchArrays, PatcherOutput, StepMode } from '../../finetune/index.js';
import { patcherOutput } from './output.js';

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
  mode: StepMode,
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
  let compiled: CompiledFunction | null = null;
  return {
    async of(arrays) {
      const inputs = [arrays.ids!, arrays.documents!].map(({ values, shape }) =>
        tf.tensor(values, [...shape], 'int32'),
      );
      if (mode !== 'eager') compiled ??= compile((ids, documents) => body(ids!, documents!), signature, mode);
      const out = compiled === null ? tf.tidy(() => body(inputs[0]!, inputs[1]!)) : await compiled.call(inputs);
      const [entropies, endProbabilities = null] = out.map((values) => values.dataSync() as Float32Array);
      tf.dispose([...out, ...inputs]);
      return { entropies: entropies!, endProbabilities };
    },
    dispose: () => compiled?.dispose(),
  };
}
