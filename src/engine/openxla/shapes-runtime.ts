/**
 * @module A runtime that computes nothing: tensors have shapes and types, and a call of a traced function hands its program over. The same code that
 * trains or decodes then yields the programs that a device would run, however large the model is. Values that are read are zeros, except those
 * that were put in. The memory that it counts is what tensors and variables would take on one device.
 */
import type { Attribute } from '../attributes.js';
import type { NativeTensor, Runtime } from '../executor.js';
import type { StableHloFunction } from '../stablehlo/function.js';
import { createStableHloGraph, type GraphHost } from '../stablehlo/graph.js';
import { byteCountOf } from './byte-count.js';
import { LITERAL_BYTES } from './runtime.js';
import { type Layout, partBytes, perDevice, splitOf, variableSplitOf } from './split.js';
import { variableHandle } from './variable-handle.js';

/** A tensor with values only if they were put in. */
interface ShapeTensor extends NativeTensor {
  readonly bytes?: Uint8Array;
}

/** Values up to this size are kept: shapes and indices depend on some of them. */
const KEPT_BYTES = 4 * 2 ** 20;

/** Receives the function of each call. It may return values for the results, by their index; the others are zeros. */
export type OnCall = (fn: StableHloFunction) => readonly (Uint8Array | undefined)[] | undefined;

/** Counts the memory of tensors and variables on one device. */
function createMemory(layout: Layout) {
  const sizes = new Map<NativeTensor, number>();
  let [used, peak] = [0, 0];
  const add = <T extends NativeTensor>(tensor: T, bytes: number): T => {
    sizes.set(tensor, bytes);
    used += bytes;
    peak = Math.max(peak, used);
    return tensor;
  };
  const remove = (tensor: NativeTensor): void => {
    used -= sizes.get(tensor) ?? 0;
    sizes.delete(tensor);
  };
  return {
    tensor: <T extends NativeTensor>(tensor: T): T => add(tensor, partBytes(layout, tensor, splitOf(layout, tensor))),
    /** A variable takes the value of a tensor, without a copy. */
    assign(variable: NativeTensor, tensor: NativeTensor): void {
      for (const before of [tensor, variable]) remove(before);
      const content = { shape: variable.shape, dtype: variable.valueType! };
      add(variable, partBytes(layout, content, variableSplitOf(layout, content)));
    },
    remove,
    read: () => ({ used, peak, limit: null }),
  };
}

export function createShapesRuntime(onCall: OnCall, layout: Layout): Runtime {
  const memory = createMemory(layout);
  const tensorOf = (shape: readonly number[], dtype: number, bytes?: Uint8Array): ShapeTensor =>
    memory.tensor({ handle: 0n, shape: [...shape], dtype, ...(bytes !== undefined && { bytes }) });

  const read = (tensor: ShapeTensor): Uint8Array => tensor.bytes?.slice() ?? new Uint8Array(byteCountOf(tensor));
  const host: GraphHost = {
    read,
    release: memory.remove,
    isLiteral: (tensor) => (tensor as ShapeTensor).bytes !== undefined && byteCountOf(tensor) <= LITERAL_BYTES,
  };

  /** The shapes of an operation's results. */
  function execute(name: string, attributes: readonly Attribute[], inputs: readonly NativeTensor[]): NativeTensor[] {
    if (name === 'VarHandleOp') return [variableHandle(attributes)];
    if (name === 'AssignVariableOp') memory.assign(inputs[0]!, inputs[1]!);
    if (name === 'DestroyResourceOp') memory.remove(inputs[0]!);
    if (name === 'AssignVariableOp' || name === 'DestroyResourceOp') return [];
    return createStableHloGraph(host)
      .execute(name, attributes, inputs, 1)
      .map(({ shape, dtype }) => tensorOf(shape, dtype));
  }

  return {
    version: 'shapes only',
    devices: perDevice(layout, (device) => ({ name: `device:${device}`, type: 'shapes' })),
    execute,
    read,
    release: memory.remove,
    create: (bytes, shape, dtype) =>
      tensorOf(shape, dtype, bytes.byteLength <= KEPT_BYTES ? Uint8Array.from(bytes) : undefined),
    createFromChunks: async (_chunks, shape, dtype) => tensorOf(shape, dtype),
    createZeros: (shape, dtype) => tensorOf(shape, dtype),
    *readChunks(tensor, chunkBytes) {
      const byteCount = byteCountOf(tensor);
      for (let at = 0; at < byteCount; at += chunkBytes) yield new Uint8Array(Math.min(chunkBytes, byteCount - at));
    },
    createGraph: () => createStableHloGraph(host),
    async call(traced) {
      const fn = traced as StableHloFunction;
      const values = onCall(fn) ?? [];
      return fn.shapes.map((shape, i) => tensorOf(shape, fn.results[i]!.dtype, values[i]));
    },
    compile: async () => undefined,
    sumOverProcesses: null,
    triton: true,
    memory: memory.read,
    liveHandles: () => 0,
    leave: (exitCode) => process.exit(exitCode),
  };
}
