/** @module Attributes of TensorFlow operations. */
import type { DataType as TfjsDataType } from '@tensorflow/tfjs-core';
import { ByteifyError } from '../errors.js';
import { DataType } from './data-type.js';

export const AttributeType = { string: 0, int: 1, float: 2, bool: 3, type: 4, shape: 5 } as const;

export interface Attribute {
  readonly name: string;
  readonly type: (typeof AttributeType)[keyof typeof AttributeType];
  readonly value: string | number | boolean | readonly number[];
}

/** The TF_DataType of a tfjs dtype. @throws ByteifyError for a dtype that the engine does not support. */
export function dataTypeOf(dtype: TfjsDataType): number {
  if (dtype === 'float32' || dtype === 'int32' || dtype === 'bool') return DataType[dtype];
  throw new ByteifyError(`The engine does not support ${dtype} tensors.`);
}

export const attribute = {
  type: (name: string, dtype: TfjsDataType): Attribute => ({
    name,
    type: AttributeType.type,
    value: dataTypeOf(dtype),
  }),
  /** A TF_DataType that tfjs has no name for: bfloat16, resource. */
  nativeType: (name: string, value: number): Attribute => ({ name, type: AttributeType.type, value }),
  shape: (name: string, value: readonly number[]): Attribute => ({ name, type: AttributeType.shape, value }),
  int: (name: string, value: number | readonly number[]): Attribute => ({ name, type: AttributeType.int, value }),
  bool: (name: string, value: boolean): Attribute => ({ name, type: AttributeType.bool, value }),
  float: (name: string, value: number): Attribute => ({ name, type: AttributeType.float, value }),
  string: (name: string, value: string): Attribute => ({ name, type: AttributeType.string, value }),
};
