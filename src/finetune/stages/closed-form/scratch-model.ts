/** @module The model that a closed-form start is measured on: the tensors as they were, and those that have been made since. */
import { type BltConfig, bltTensors } from '../../../blt/index.js';
import { tf } from '../../../engine/index.js';
import { loadParams, type Params } from '../../../model/index.js';
import type { TensorReader } from '../../../safetensors/index.js';
import type { Tensors } from './encoder-tensors.js';

export interface ScratchModel {
  /** What was made, by tensor name. */
  readonly made: ReadonlyMap<string, Float32Array>;
  /** The tensors of the local models and the head as they are now. They belong to the scratchModel. */
  params(): Params;
  /** Puts tensors in the places of others. */
  put(tensors: Tensors): void;
  dispose(): void;
}

const LOCAL = ['encoder', 'hash', 'decoder', 'head'];

/** Loads the local models; their hash tables are zeros until they are made. The engine must be started. */
export async function openScratchModel(config: BltConfig, start: TensorReader): Promise<ScratchModel> {
  const specs = bltTensors(config).filter(({ part }) => LOCAL.includes(part));
  const shapes = new Map(specs.map(({ name, shape }) => [name, shape]));
  const loaded = await loadParams(
    start,
    specs.flatMap(({ name, part }) => (part === 'hash' ? [] : [name])),
  );
  const params = new Map(loaded);
  const made = new Map<string, Float32Array>();
  return {
    made,
    params: () => params,
    put(tensors) {
      for (const [name, values] of tensors) {
        params.get(name)?.dispose();
        params.set(name, tf.tensor(values, [...shapes.get(name)!]));
        made.set(name, values);
      }
    },
    dispose: () => tf.dispose([...params.values()]),
  };
}
