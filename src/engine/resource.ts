/** @module One TensorFlow resource variable: a tensor of one stored type that operations read and change in place. */
import * as tf from '@tensorflow/tfjs-core';
import { type Attribute, attribute } from './attributes.js';
import type { EngineBackend } from './backend.js';
import type { NativeTensor } from './executor.js';

/** Values have the stored type, which tfjs-core may have no name for. */
export interface Resource {
  /** The handle, with the shape of the variable's value. */
  readonly native: NativeTensor;
  read(): tf.Tensor;
  assign(value: tf.Tensor): void;
  gatherRows(ids: tf.Tensor): tf.Tensor;
  scatterRows(ids: tf.Tensor, values: tf.Tensor): void;
  dispose(): void;
}

let made = 0;

/** Creates a resource without a value. @param dtype a TF_DataType. */
export function createResource(backend: EngineBackend, shape: readonly number[], dtype: number): Resource {
  const [handle] = backend.runtime.execute(
    'VarHandleOp',
    [
      attribute.string('container', ''),
      attribute.string('shared_name', `byteify_variable_${made++}`),
      attribute.nativeType('dtype', dtype),
      attribute.shape('shape', shape),
    ],
    [],
    1,
  );
  // The handle itself is a scalar; the value read through it has the variable's shape.
  return resourceOver(backend, { ...handle!, shape: [...shape], valueType: dtype }, dtype);
}

/** A resource for an existing handle, including the one that a fused function receives. */
export function resourceOver(backend: EngineBackend, native: NativeTensor, dtype: number): Resource {
  const type = attribute.nativeType('dtype', dtype);
  const rowTypes = [type, attribute.type('Tindices', 'int32')];
  const gatherTypes = [...rowTypes, attribute.int('batch_dims', 0), attribute.bool('validate_indices', true)];
  const run = (name: string, attributes: Attribute[], inputs: tf.Tensor[], outputs: number) =>
    backend.executeOnResource(name, attributes, native, inputs, outputs);
  const result = (name: string, attributes: Attribute[], inputs: tf.Tensor[]): tf.Tensor => {
    const { dataId, shape, dtype } = run(name, attributes, inputs, 1)[0]!;
    return tf.engine().makeTensorFromDataId(dataId, shape, dtype);
  };
  return {
    native,
    read: () => result('ReadVariableOp', [type], []),
    assign: (value) => run('AssignVariableOp', [type], [value], 0),
    gatherRows: (ids) => result('ResourceGather', gatherTypes, [ids]),
    scatterRows: (ids, values) => run('ResourceScatterUpdate', rowTypes, [ids, values], 0),
    dispose() {
      backend.inFlight.release(native, () => {
        // Destroys the variable; releasing the handle alone leaves a named variable alive.
        run('DestroyResourceOp', [attribute.bool('ignore_lookup_error', true)], [], 0);
        backend.runtime.release(native);
      });
    },
  };
}
