/** @module The unfinished model of the closed-form initialisation: fitted tensors where they exist, initial ones elsewhere. */
import { type BltConfig, bltTensors } from '../../../blt/index.js';
import { tf } from '../../../engine/index.js';
import { loadParams, type Params } from '../../../model/index.js';
import type { TensorReader } from '../../../safetensors/index.js';
import type { Tensors } from './encoder-tensors.js';

export interface ScratchModel {
  /** The tensors fitted so far, by name. */
  readonly fitted: ReadonlyMap<string, Float32Array>;
  /** The current tensors of the local models and the head, which the scratch model disposes. */
  params(): Params;
  /** Replaces tensors. */
  replace(tensors: Tensors): void;
  dispose(): void;
}

const LOCAL = ['encoder', 'hash', 'decoder', 'head'];

/** Loads the local models without the hash tables, which have to be fitted first. The engine must be started. */
export async function openScratchModel(config: BltConfig, start: TensorReader): Promise<ScratchModel> {
  const specs = bltTensors(config).filter(({ part }) => LOCAL.includes(part));
  const shapes = new Map(specs.map(({ name, shape }) => [name, shape]));
  const loaded = await loadParams(
    start,
    specs.flatMap(({ name, part }) => (part === 'hash' ? [] : [name])),
  );
  const params = new Map(loaded);
  const fitted = new Map<string, Float32Array>();
  return {
    fitted,
    params: () => params,
    replace(tensors) {
      for (const [name, values] of tensors) {
        params.get(name)?.dispose();
        params.set(name, tf.tensor(values, [...shapes.get(name)!]));
        fitted.set(name, values);
      }
    },
    dispose: () => tf.dispose([...params.values()]),
  };
}
