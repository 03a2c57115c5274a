/** @module Variables: float32 tensors that training changes in place. Compiled functions read and assign them without a copy. */
import * as tf from '@tensorflow/tfjs-core';
import { type EngineBackend, engineBackend } from './backend.js';
import { createResource, type Resource, resourceOver } from './resource.js';
import { CODECS, type Storage } from './storage.js';

export interface Variable {
  readonly shape: readonly number[];
  readonly storage: Storage;
  /** The value in float32. The caller disposes it. */
  read(): tf.Tensor;
  /**
   * Like read, but the tensor of a bfloat16 variable keeps its stored type. Only `linear` accepts it, since tfjs-core treats it as float32.
   */
  readFrozen(): tf.Tensor;
  /** Replaces the value; while tracing, the compiled function will do so. The caller keeps `value`. */
  assign(value: tf.Tensor): void;
  /** Rows `ids` [N] of a variable [R, ...] -> [N, ...], without reading the others. */
  gatherRows(ids: tf.Tensor): tf.Tensor;
  /** Replaces rows `ids` [N] with `values` [N, ...]. If an id occurs twice, either value may remain. */
  scatterRows(ids: tf.Tensor, values: tf.Tensor): void;
  dispose(): void;
}

/** Creates a variable with a value. The caller keeps `initial`. */
export function createVariable(initial: tf.Tensor, storage: Storage = 'float32'): Variable {
  const variable = emptyVariable(engineBackend(), initial.shape, storage);
  variable.assign(initial);
  return variable;
}

/** Creates a variable of zeros. On a CPU a large one takes memory only where it is written to. */
export function zeroVariable(shape: readonly number[], storage: Storage = 'float32'): Variable {
  const variable = emptyVariable(engineBackend(), shape, storage);
  resetVariable(variable);
  return variable;
}

/** Sets a variable to zeros, like those of `zeroVariable`. */
export function resetVariable(variable: Variable): void {
  const { shape, storage, resources } = variable as ResourceVariable;
  CODECS[storage].parts(shape).forEach((part, i) => {
    const zeros = engineBackend().zeros(part.shape, part.dtype);
    resources[i]!.assign(zeros);
    zeros.dispose();
  });
}

/**
 * Reads variables, computes their next values and assigns them, fused: in place, in one pass over memory.
 * @param update receives the values and `inputs`, and returns one value per variable, followed by any other results.
 * @returns the other results.
 */
export function fuseUpdate(
  key: string,
  variables: readonly Variable[],
  inputs: readonly tf.Tensor[],
  update: (values: readonly tf.Tensor[], inputs: readonly tf.Tensor[]) => readonly tf.Tensor[],
): readonly tf.Tensor[] {
  const assignAll = (over: readonly Variable[], given: readonly tf.Tensor[]) => {
    const next = update(
      over.map((variable) => variable.read()),
      given,
    );
    over.forEach((variable, i) => {
      variable.assign(next[i]!);
    });
    return next.slice(over.length);
  };
  const backend = engineBackend();
  return tf.tidy(() => {
    const resourceVariables = variables as readonly ResourceVariable[];
    const handles = resourceVariables.flatMap(({ resources }) => resources.map(({ native }) => native));
    const results = backend.fuse(
      `${key} ${resourceVariables.map(({ storage }) => storage)}`,
      handles,
      inputs,
      (natives, given) => {
        let at = 0;
        const over = resourceVariables.map(({ shape, storage }) => {
          const parts = CODECS[storage].parts(shape);
          const resources = parts.map(({ dtype }) => resourceOver(backend, natives[at++]!, dtype));
          return variableOf(shape, storage, resources);
        });
        return assignAll(over, given);
      },
    );
    return [...results];
  });
}

interface ResourceVariable extends Variable {
  readonly resources: readonly Resource[];
}

function emptyVariable(backend: EngineBackend, shape: readonly number[], storage: Storage): ResourceVariable {
  const parts = CODECS[storage].parts(shape);
  return variableOf(
    shape,
    storage,
    parts.map((part) => createResource(backend, part.shape, part.dtype)),
  );
}

function variableOf(shape: readonly number[], storage: Storage, resources: readonly Resource[]): ResourceVariable {
  const { encode, decode } = CODECS[storage];
  const decoded = (part: (resource: Resource) => tf.Tensor) => tf.tidy(() => decode(resources.map(part)));
  const encoded = (value: tf.Tensor, put: (resource: Resource, part: tf.Tensor) => void) =>
    tf.tidy(() => {
      encode(value).forEach((part, i) => {
        put(resources[i]!, part);
      });
    });
  return {
    shape,
    storage,
    resources,
    read: () => decoded((resource) => resource.read()),
    readFrozen: () => (storage === 'bfloat16' ? resources[0]!.read() : decoded((resource) => resource.read())),
    assign: (value) => encoded(value, (resource, part) => resource.assign(part)),
    gatherRows: (ids) => decoded((resource) => resource.gatherRows(ids)),
    scatterRows: (ids, values) => encoded(values, (resource, part) => resource.scatterRows(ids, part)),
    dispose() {
      for (const resource of resources) resource.dispose();
    },
  };
}
