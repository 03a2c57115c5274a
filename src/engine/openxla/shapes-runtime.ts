/**
 * @module A runtime that computes nothing: tensors have shapes and types, and a call of a traced function hands its program over. The same code that
 * trains or decodes then yields the programs that a device would run, however large the model is. Values that are read are zeros, except those
 * that were put in. The memory that it counts is that of the variables.
 */
import type { Attribute } from '../attributes.js';
import type { NativeTensor, Runtime } from '../executor.js';
import type { StableHloFunction } from '../stablehlo/function.js';
import { createStableHloGraph, type GraphHost } from '../stablehlo/graph.js';
import { byteCountOf } from './byte-count.js';
import { LITERAL_BYTES } from './runtime.js';
import { variableHandle } from './variable-handle.js';

/** A tensor with values only if they were put in. */
interface ShapeTensor extends NativeTensor {
  readonly bytes?: Uint8Array;
}

/** Values up to this size are kept: shapes and indices depend on some of them. */
const KEPT_BYTES = 4 * 2 ** 20;

const tensorOf = (shape: readonly number[], dtype: number): ShapeTensor => ({ handle: 0n, shape: [...shape], dtype });

/** Receives the function of each call. It may return values for the results, by their index; the others are zeros. */
export type OnCall = (fn: StableHloFunction) => readonly (Uint8Array | undefined)[] | undefined;

export function createShapesRuntime(onCall: OnCall): Runtime {
  /** Bytes of all variables. */
  let [used, peak] = [0, 0];
  const addVariable = (bytes: number) => {
    used += bytes;
    peak = Math.max(peak, used);
  };
  const contentsOf = ({ shape, valueType }: NativeTensor) => ({ shape, dtype: valueType! });

  const read = (tensor: ShapeTensor): Uint8Array => tensor.bytes?.slice() ?? new Uint8Array(byteCountOf(tensor));
  const release = () => undefined;
  const host: GraphHost = {
    read,
    release,
    isLiteral: (tensor) => (tensor as ShapeTensor).bytes !== undefined && byteCountOf(tensor) <= LITERAL_BYTES,
  };

  /** The shapes of an operation's results. */
  function execute(name: string, attributes: readonly Attribute[], inputs: readonly NativeTensor[]): NativeTensor[] {
    if (name === 'VarHandleOp') {
      const variable = variableHandle(attributes);
      addVariable(byteCountOf(contentsOf(variable)));
      return [variable];
    }
    if (name === 'DestroyResourceOp') {
      addVariable(-byteCountOf(contentsOf(inputs[0]!)));
      return [];
    }
    return createStableHloGraph(host)
      .execute(name, attributes, inputs, 1)
      .map(({ shape, dtype }) => tensorOf(shape, dtype));
  }

  return {
    version: 'shapes only',
    devices: [],
    execute,
    read,
    release,
    create(bytes, shape, dtype) {
      const kept = bytes.byteLength <= KEPT_BYTES ? { bytes: Uint8Array.from(bytes) } : {};
      return { ...tensorOf(shape, dtype), ...kept };
    },
    createFromChunks: async (_chunks, shape, dtype) => tensorOf(shape, dtype),
    createZeros: tensorOf,
    *readChunks(tensor, chunkBytes) {
      const byteCount = byteCountOf(tensor);
      for (let at = 0; at < byteCount; at += chunkBytes) yield new Uint8Array(Math.min(chunkBytes, byteCount - at));
    },
    createGraph: () => createStableHloGraph(host),
    async call(traced) {
      const fn = traced as StableHloFunction;
      const values = onCall(fn) ?? [];
      return fn.shapes.map((shape, i) => {
        const bytes = values[i];
        return { ...tensorOf(shape, fn.results[i]!.dtype), ...(bytes !== undefined && { bytes }) };
      });
    },
    compile: async () => undefined,
    memory: () => ({ used, peak, limit: null }),
    liveHandles: () => 0,
    leave: (exitCode) => process.exit(exitCode),
  };
}
