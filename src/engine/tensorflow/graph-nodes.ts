/** @module Nodes of a TensorFlow graph: operations, placeholders, constants. Every node's shape is known. */
import { ByteifyError } from '../../errors.js';
import { type Attribute, attribute } from '../attributes.js';
import { bytesOfType, DataType } from '../data-type.js';
import type { NativeTensor, Pointer } from '../executor.js';
import { checkStatus } from './check-status.js';
import type { GraphOutput, TensorFlowApi } from './native.js';
import { dims, writeAttributes } from './write-attributes.js';

/** Larger constants are refused, because they would be copied into the compiled function. RoPE tables of 16k positions fit. */
const MAX_CONSTANT_BYTES = 4 * 2 ** 20;
/** Larger constants whose values are all equal become a Fill. */
const SMALL_CONSTANT_BYTES = 256;

/** Operations whose first inputs form one list, whose length is their attribute N. */
const LIST_INPUTS = new Set(['ConcatV2', 'Pack', 'AddN']);

function uniform(bytes: Uint8Array, width: number): boolean {
  for (let i = width; i < bytes.length; i++) if (bytes[i] !== bytes[i - width]) return false;
  return true;
}

/** A list of TF_Output as the C API expects it: 16 bytes each. */
export function outputList(outputs: readonly GraphOutput[]): Uint8Array {
  const buffer = new ArrayBuffer(16 * Math.max(1, outputs.length));
  const [pointers, indices] = [new BigUint64Array(buffer), new Int32Array(buffer)];
  outputs.forEach(({ oper, index }, i) => {
    pointers[2 * i] = BigInt(oper);
    indices[4 * i + 2] = index;
  });
  return new Uint8Array(buffer);
}

const listLength = (attributes: readonly Attribute[], all: number): number => {
  const count = attributes.find(({ name }) => name === 'N');
  return count === undefined ? all : (count.value as number);
};

export interface GraphNodes {
  /** Adds an operation. @param after nodes that must run before it. */
  node(
    type: string,
    attributes: readonly Attribute[],
    inputs: readonly GraphOutput[],
    after?: readonly Pointer[],
  ): Pointer;
  placeholder(shape: readonly number[], dtype: number): GraphOutput;
  /** Adds a constant. @throws ByteifyError for values that are too large to be copied into a function. */
  constant(bytes: Uint8Array, shape: readonly number[], dtype: number): GraphOutput;
  /** An output as a tensor. @throws ByteifyError when its shape is not known while tracing. */
  describe(output: GraphOutput, type: string): NativeTensor;
  count(): number;
}

/** Creates an interface that adds nodes to a TF_Graph. */
export function createGraphNodes(api: TensorFlowApi, graph: Pointer, status: Pointer): GraphNodes {
  let count = 0;

  function finishNode(op: Pointer, type: string): Pointer {
    const done = api.TF_FinishOperation(op, status);
    checkStatus(api, status, `${type} while tracing`);
    return done;
  }

  function node(
    type: string,
    attributes: readonly Attribute[],
    from: readonly GraphOutput[],
    after: readonly Pointer[] = [],
  ): Pointer {
    const op = api.TF_NewOperation(graph, type, `${type}_${count++}`);
    for (const earlier of after) api.TF_AddControlInput(op, earlier);
    const list = LIST_INPUTS.has(type) ? listLength(attributes, from.length) : 0;
    if (list > 0) api.TF_AddInputList(op, outputList(from.slice(0, list)), list);
    for (const input of from.slice(list)) api.TF_AddInput(op, input);
    // The C API derives a list's length from the list.
    const rest = list > 0 ? attributes.filter(({ name }) => name !== 'N') : attributes;
    writeAttributes(api, 'TF_', op, rest, status);
    return finishNode(op, type);
  }

  function describe(output: GraphOutput, type: string): NativeTensor {
    const rank = api.TF_GraphGetTensorNumDims(graph, output, status);
    checkStatus(api, status, type);
    const found = new BigInt64Array(Math.max(1, rank));
    if (rank > 0) api.TF_GraphGetTensorShape(graph, output, found, rank, status);
    checkStatus(api, status, type);
    const shape = Array.from(found.subarray(0, Math.max(0, rank)), Number);
    if (rank < 0 || shape.some((extent) => extent < 0)) {
      throw new ByteifyError(`The shape of the result of ${type} is not known while tracing.`, {
        hint: 'Inputs that specify a shape must be values known while tracing, not traced tensors.',
      });
    }
    return { handle: 0n, output, shape, dtype: api.TF_OperationOutputType(output) };
  }

  function constantNode(bytes: Uint8Array, shape: readonly number[], dtype: number): GraphOutput {
    const tensor = api.TF_AllocateTensor(dtype, dims(shape), shape.length, bytes.byteLength);
    if (bytes.byteLength > 0) api.copyToNative(api.TF_TensorData(tensor), bytes, bytes.byteLength);
    const op = api.TF_NewOperation(graph, 'Const', `Const_${count++}`);
    api.TF_SetAttrTensor(op, 'value', tensor, status);
    api.TF_DeleteTensor(tensor);
    api.TF_SetAttrType(op, 'dtype', dtype);
    return { oper: finishNode(op, 'Const'), index: 0 };
  }

  function constant(bytes: Uint8Array, shape: readonly number[], dtype: number): GraphOutput {
    const width = bytesOfType(dtype);
    if (bytes.byteLength > SMALL_CONSTANT_BYTES && uniform(bytes, width)) {
      const extents = constantNode(new Uint8Array(Int32Array.from(shape).buffer), [shape.length], DataType.int32);
      const value = constantNode(bytes.subarray(0, width), [], dtype);
      const types = [attribute.nativeType('T', dtype), attribute.type('index_type', 'int32')];
      return { oper: node('Fill', types, [extents, value]), index: 0 };
    }
    if (bytes.byteLength > MAX_CONSTANT_BYTES) {
      throw new ByteifyError(
        `A traced function captures a tensor [${shape.join(', ')}] of ${bytes.byteLength} bytes as a constant.`,
        { hint: 'Pass it to the function as an input, or store it in a variable.' },
      );
    }
    return constantNode(bytes, shape, dtype);
  }

  function placeholder(shape: readonly number[], dtype: number): GraphOutput {
    const types = [attribute.nativeType('dtype', dtype), attribute.shape('shape', shape)];
    return { oper: node('Placeholder', types, []), index: 0 };
  }

  return { node, placeholder, constant, describe, count: () => count };
}
