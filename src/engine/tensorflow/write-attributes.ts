/** @module Sets the attributes of an operation that is about to run (`TFE_OpSetAttr...`) or of a graph node (`TF_SetAttr...`). */
import { type Attribute, AttributeType } from '../attributes.js';
import type { Pointer } from '../executor.js';
import type { TensorFlowApi } from './native.js';

const NO_DIMS = new BigInt64Array(1);

/** A shape as the C API expects it: never an empty buffer. */
export function dims(shape: readonly number[]): BigInt64Array {
  return shape.length === 0 ? NO_DIMS : BigInt64Array.from(shape, BigInt);
}

/** @param where `TFE_Op` for an operation that runs, `TF_` for a node. */
export function writeAttributes(
  api: TensorFlowApi,
  where: 'TFE_Op' | 'TF_',
  op: Pointer,
  attributes: readonly Attribute[],
  status: Pointer,
): void {
  for (const { name, type, value } of attributes) {
    switch (type) {
      case AttributeType.string: {
        const bytes = Buffer.from(value as string);
        api[`${where}SetAttrString`](op, name, bytes, bytes.length);
        break;
      }
      case AttributeType.int:
        if (Array.isArray(value)) api[`${where}SetAttrIntList`](op, name, dims(value as number[]), value.length);
        else api[`${where}SetAttrInt`](op, name, value as number);
        break;
      case AttributeType.float:
        api[`${where}SetAttrFloat`](op, name, value as number);
        break;
      case AttributeType.bool:
        api[`${where}SetAttrBool`](op, name, value ? 1 : 0);
        break;
      case AttributeType.type:
        api[`${where}SetAttrType`](op, name, value as number);
        break;
      case AttributeType.shape: {
        const shape = value as readonly number[];
        if (where === 'TF_') api.TF_SetAttrShape(op, name, dims(shape), shape.length);
        else api.TFE_OpSetAttrShape(op, name, dims(shape), shape.length, status);
        break;
      }
    }
  }
}
