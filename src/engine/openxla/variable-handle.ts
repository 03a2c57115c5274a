/** @module The handle of a variable, as VarHandleOp describes it. */
import type { Attribute } from '../attributes.js';
import { DataType } from '../data-type.js';
import type { NativeTensor } from '../executor.js';

/** A handle for a variable of the shape and type in the attributes. */
export function variableHandle(attributes: readonly Attribute[]): NativeTensor & { readonly valueType: number } {
  const [shape, valueType] = ['shape', 'dtype'].map((name) => attributes.find((a) => a.name === name)!.value);
  return { handle: 0n, shape: [...(shape as number[])], dtype: DataType.resource, valueType: valueType as number };
}
