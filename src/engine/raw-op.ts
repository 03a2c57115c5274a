/** @module Runs TensorFlow operations by name, for those that tfjs-core lacks. */
import * as tf from '@tensorflow/tfjs-core';
import { type Attribute, attribute } from './attributes.js';

/** What our backend and tfjs-node's have in common beyond tfjs-core's interface. */
interface RawBackend {
  executeSingleOutput(name: string, attributes: readonly Attribute[], inputs: readonly tf.TensorInfo[]): tf.TensorInfo;
  executeMultipleOutputs(
    name: string,
    attributes: readonly Attribute[],
    inputs: readonly tf.TensorInfo[],
    outputs: number,
  ): tf.TensorInfo[];
}

/** tfjs-node's backend returns tensors that tfjs-core already tracks: a second tensor over the same data would outlive it. */
function wrap(made: tf.TensorInfo): tf.Tensor {
  if (made instanceof tf.Tensor) return made;
  return tf.engine().makeTensorFromDataId(made.dataId, made.shape, made.dtype);
}

/** Runs one TensorFlow operation by name, outside the gradient tape. */
export function rawOp(
  name: string,
  attributes: readonly Attribute[],
  inputs: readonly tf.Tensor[],
  outputs = 1,
): tf.Tensor[] {
  const backend = tf.backend() as unknown as RawBackend;
  return outputs === 1
    ? [wrap(backend.executeSingleOutput(name, attributes, inputs))]
    : backend.executeMultipleOutputs(name, attributes, inputs, outputs).map(wrap);
}

/** Converts between TF_DataTypes, including those that tfjs-core has no name for. */
export function castNative(x: tf.Tensor, from: number, to: number): tf.Tensor {
  const types = [attribute.nativeType('SrcT', from), attribute.nativeType('DstT', to)];
  return rawOp('Cast', [...types, attribute.bool('Truncate', false)], [x])[0]!;
}
