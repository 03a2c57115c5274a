/** @module Runs TensorFlow operations by name, for those that tfjs-core lacks. */
import * as tf from '@tensorflow/tfjs-core';
import { type Attribute, attribute } from './attributes.js';
import { engineBackend } from './backend.js';

const wrap = ({ dataId, shape, dtype }: tf.TensorInfo): tf.Tensor =>
  tf.engine().makeTensorFromDataId(dataId, shape, dtype);

/** Runs one TensorFlow operation by name, outside the gradient tape. */
export function rawOp(
  name: string,
  attributes: readonly Attribute[],
  inputs: readonly tf.Tensor[],
  outputs = 1,
): tf.Tensor[] {
  return engineBackend().executeMultipleOutputs(name, attributes, inputs, outputs).map(wrap);
}

/** Converts between TF_DataTypes, including those that tfjs-core has no name for. */
export function castNative(x: tf.Tensor, from: number, to: number): tf.Tensor {
  const types = [attribute.nativeType('SrcT', from), attribute.nativeType('DstT', to)];
  return rawOp('Cast', [...types, attribute.bool('Truncate', false)], [x])[0]!;
}
