/** @module The result of `byteify inspect` for any checkpoint, file or conversion. */

import { elementCount } from '../../safetensors/index.js';

export interface InspectedTensor {
  readonly name: string;
  /** The stored type: a safetensors dtype, or a GGUF type such as Q4_K. */
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly part: string;
}

export interface Group {
  readonly name: string;
  readonly tensors: number;
  readonly parameters: number;
}

/** The document of `--json`. */
export interface Inspection {
  readonly kind: 'blt' | 'llama' | 'safetensors' | 'gguf';
  readonly path: string;
  /** Facts of the config by name; empty for a weights file without a config. */
  readonly config: Readonly<Record<string, string | number | boolean | null>>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly parameters: number;
  readonly parts: readonly Group[];
  readonly dtypes: readonly Group[];
  readonly tensors: readonly InspectedTensor[];
}

/** Counts the parameters by part and by dtype. */
export function inspection(
  about: Pick<Inspection, 'kind' | 'path' | 'config' | 'metadata'>,
  tensors: readonly InspectedTensor[],
): Inspection {
  return {
    ...about,
    parameters: tensors.reduce((sum, tensor) => sum + elementCount(tensor.shape), 0),
    parts: groupBy(tensors, ({ part }) => part),
    dtypes: groupBy(tensors, ({ dtype }) => dtype),
    tensors,
  };
}

/** Groups tensors in the order of first appearance, which is the order of the model. */
function groupBy(tensors: readonly InspectedTensor[], key: (tensor: InspectedTensor) => string): Group[] {
  const groups = new Map<string, Group>();
  for (const tensor of tensors) {
    const name = key(tensor);
    const { tensors: count, parameters } = groups.get(name) ?? { tensors: 0, parameters: 0 };
    groups.set(name, { name, tensors: count + 1, parameters: parameters + elementCount(tensor.shape) });
  }
  return [...groups.values()];
}
