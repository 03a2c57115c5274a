/**
 * @module Variables: tensors that training changes in place. On the libtensorflow backend they are TensorFlow's resource variables, which
 * compiled functions read and assign without a copy; on another backend, a tensor that is replaced.
 */
import * as tf from '@tensorflow/tfjs-core';
import { type Attribute, attribute } from './attributes.js';
import { TensorFlowBackend } from './backend.js';
import { DataType } from './native.js';
import type { NativeTensor } from './runtime.js';

/** How a variable's values are held. tfjs sees float32 whatever it is. */
export type Storage = 'float32' | 'bfloat16';

export interface Variable {
  readonly shape: readonly number[];
  readonly storage: Storage;
  /** The value, in float32. */
  read(): tf.Tensor;
  /** Replaces the value. While tracing, the compiled function will. `value` stays the caller's. */
  assign(value: tf.Tensor): void;
  /** Rows `ids` [N] of a variable [R, ...] -> [N, ...], without reading the others. */
  gatherRows(ids: tf.Tensor): tf.Tensor;
  /** Replaces rows `ids` [N], each named once, by `values` [N, ...]. */
  scatterRows(ids: tf.Tensor, values: tf.Tensor): void;
  dispose(): void;
}

const NATIVE = { float32: DataType.float32, bfloat16: DataType.bfloat16 } as const;

/** A variable with a value. `initial` stays the caller's. */
export function createVariable(initial: tf.Tensor, storage: Storage = 'float32'): Variable {
  const backend = tf.backend();
  return backend instanceof TensorFlowBackend
    ? resourceVariable(backend, initial, storage)
    : tensorVariable(initial, storage);
}

/** A variable of zeros. */
export function zeroVariable(shape: readonly number[], storage: Storage = 'float32'): Variable {
  const zeros = tf.fill([...shape], 0);
  const variable = createVariable(zeros, storage);
  zeros.dispose();
  return variable;
}

/**
 * Reads variables, computes their next values and assigns them, fused: in place, in one pass over memory.
 * @param update gets the values and `inputs`, and gives one value a variable.
 */
export function fuseUpdate(
  key: string,
  variables: readonly Variable[],
  inputs: readonly tf.Tensor[],
  update: (values: readonly tf.Tensor[], inputs: readonly tf.Tensor[]) => readonly tf.Tensor[],
): void {
  const assignAll = (over: readonly Variable[], given: readonly tf.Tensor[]) => {
    const next = update(
      over.map((variable) => variable.read()),
      given,
    );
    over.forEach((variable, i) => {
      variable.assign(next[i]!);
    });
  };
  const backend = tf.backend();
  if (!(backend instanceof TensorFlowBackend)) {
    tf.tidy(() => assignAll(variables, inputs));
    return;
  }
  const kinds = variables.map(({ storage }) => storage);
  tf.tidy(() => {
    const resources = variables.map((variable) => (variable as ResourceVariable).resource);
    backend.fuse(`${key} ${kinds}`, resources, inputs, (handles, given) => {
      const over = handles.map((handle, i) => variableOver(backend, handle, kinds[i]!));
      assignAll(over, given);
      return [];
    });
  });
}

interface ResourceVariable extends Variable {
  readonly resource: NativeTensor;
}

let made = 0;

function resourceVariable(backend: TensorFlowBackend, initial: tf.Tensor, storage: Storage): ResourceVariable {
  const { shape } = initial;
  const [handle] = backend.runtime.execute(
    'VarHandleOp',
    [
      attribute.string('container', ''),
      attribute.string('shared_name', `byteify_variable_${made++}`),
      attribute.nativeType('dtype', NATIVE[storage]),
      attribute.shape('shape', shape),
    ],
    [],
    1,
  );
  // The handle itself is a scalar; what is read through it has the variable's shape.
  const variable = variableOver(backend, { ...handle!, shape: [...shape] }, storage);
  variable.assign(initial);
  return variable;
}

function variableOver(backend: TensorFlowBackend, resource: NativeTensor, storage: Storage): ResourceVariable {
  const native = NATIVE[storage];
  const dtype = attribute.nativeType('dtype', native);
  const rowTypes = [dtype, attribute.type('Tindices', 'int32')];
  const run = (name: string, attributes: Attribute[], inputs: tf.TensorInfo[], outputs: number) =>
    backend.executeOnResource(name, attributes, resource, inputs, outputs);
  const wrap = (x: tf.TensorInfo) => tf.engine().makeTensorFromDataId(x.dataId, x.shape, x.dtype);
  const cast = (x: tf.TensorInfo, from: number, to: number): tf.TensorInfo =>
    backend.executeSingleOutput(
      'Cast',
      [attribute.nativeType('SrcT', from), attribute.nativeType('DstT', to), attribute.bool('Truncate', false)],
      [x],
    );
  /** Hands `value` on in the stored type. */
  const stored = (value: tf.Tensor, use: (x: tf.TensorInfo) => void) => {
    if (native === DataType.float32) return use(value);
    const narrow = cast(value, DataType.float32, native);
    use(narrow);
    backend.disposeData(narrow.dataId);
  };
  const widened = (x: tf.TensorInfo): tf.Tensor => {
    if (native === DataType.float32) return wrap(x);
    const wide = cast(x, native, DataType.float32);
    backend.disposeData(x.dataId);
    return wrap(wide);
  };
  const gatherTypes = [...rowTypes, attribute.int('batch_dims', 0), attribute.bool('validate_indices', true)];
  return {
    shape: resource.shape,
    storage,
    resource,
    read: () => widened(run('ReadVariableOp', [dtype], [], 1)[0]!),
    assign: (value) => stored(value, (x) => run('AssignVariableOp', [dtype], [x], 0)),
    gatherRows: (ids) => widened(run('ResourceGather', gatherTypes, [ids], 1)[0]!),
    scatterRows: (ids, values) => stored(values, (x) => run('ResourceScatterUpdate', rowTypes, [ids, x], 0)),
    dispose() {
      // Destroys what the handle stands for; releasing the handle alone leaves a named variable alive.
      backend.executeOnResource('DestroyResourceOp', [attribute.bool('ignore_lookup_error', true)], resource, [], 0);
      backend.runtime.release(resource);
    },
  };
}

function tensorVariable(initial: tf.Tensor, storage: Storage): Variable {
  let value = tf.keep(tf.clone(initial));
  const replace = (next: tf.Tensor) => {
    value.dispose();
    value = tf.keep(next);
  };
  return {
    shape: initial.shape,
    storage,
    read: () => tf.clone(value),
    assign: (next) => replace(tf.clone(next)),
    gatherRows: (ids) => tf.gather(value, ids as tf.Tensor1D),
    scatterRows: (ids, values) => replace(tf.tensorScatterUpdate(value, tf.expandDims(ids, 1), values)),
    dispose: () => value.dispose(),
  };
}
