/** @module One TensorFlow eager context: runs operations by name on its tensors, immediately or on another thread. */
import { ByteifyError } from '../../errors.js';
import { type Attribute, attribute } from '../attributes.js';
import { bytesOfType, DataType } from '../data-type.js';
import type { CompileMode, NativeTensor, Pointer, Runtime } from '../executor.js';
import { checkStatus } from './check-status.js';
import { GROUP_KEY, SUM_ATTRIBUTES, SUM_OPERATION } from './collectives.js';
import { type ContextOptions, openEagerContext } from './eager-context.js';
import { createEagerTensors, type EagerTensors } from './eager-tensors.js';
import { createGraph, type GraphHost } from './graph.js';
import { LAZY_ZERO_BYTES, lazyZeros } from './lazy-zeros.js';
import type { TensorFlowApi } from './native.js';
import { writeAttributes } from './write-attributes.js';

/** TensorFlow compiles a function whose call must be compiled. */
const CALL_ATTRIBUTES: Readonly<Record<CompileMode, readonly Attribute[]>> = {
  graph: [],
  xla: [attribute.bool('_XlaMustCompile', true)],
};

/** Opens an eager context. @throws ByteifyError with TensorFlow's own message when the context cannot be created. */
export function createTensorFlowRuntime(api: TensorFlowApi, options: ContextOptions = {}): Runtime {
  const { cluster } = options;
  const status = api.TF_NewStatus();
  const { handle: context, devices } = openEagerContext(api, status, options);
  const tensors = createEagerTensors(api, status);
  const { create, createFromChunks, read, readChunks, release, liveHandles } = tensors;
  const operations = createOperations(api, context, status, tensors);

  const integers = (values: readonly number[], shape: readonly number[]) =>
    create(new Uint8Array(Int32Array.from(values).buffer), shape, DataType.int32);

  /** Zeros that TensorFlow writes. */
  function filledZeros(shape: readonly number[], dtype: number): NativeTensor {
    const zero = new Uint8Array(bytesOfType(dtype));
    const fill = [integers(shape, [shape.length]), create(zero, [], dtype)];
    const types = [attribute.nativeType('T', dtype), attribute.type('index_type', 'int32')];
    const [zeros] = operations.execute('Fill', types, fill, 1);
    for (const input of fill) release(input);
    return zeros!;
  }

  async function sum(tensor: NativeTensor, processes: number, key: number): Promise<NativeTensor> {
    const group = [processes, GROUP_KEY, key].map((value) => integers([value], []));
    try {
      return (await operations.executeAsync(SUM_OPERATION, SUM_ATTRIBUTES, [tensor, ...group], 1))[0]!;
    } finally {
      for (const input of group) release(input);
    }
  }

  const host: GraphHost = {
    read,
    release,
    addFunction(fn, name) {
      api.TFE_ContextAddFunction(context, fn, status);
      checkStatus(api, status, 'TFE_ContextAddFunction');
      return () => {
        api.TFE_ContextRemoveFunction(context, name, status);
        checkStatus(api, status, 'TFE_ContextRemoveFunction');
      };
    },
  };

  return {
    ...{ version: api.TF_Version(), devices, leave: api.leave },
    ...{ create, createFromChunks, read, readChunks, release, liveHandles },
    execute: operations.execute,
    createGraph: () => createGraph(api, host),
    call: (fn, inputs, mode) => operations.executeAsync(fn.name, CALL_ATTRIBUTES[mode], inputs, fn.shapes.length),
    compile: null,
    triton: false,
    sumOverProcesses: cluster === undefined ? null : (tensor, key) => sum(tensor, cluster.addresses.length, key),
    memory: () => null,
    createZeros(shape, dtype) {
      const byteCount = shape.reduce((product, extent) => product * extent, bytesOfType(dtype));
      const tensor = byteCount >= LAZY_ZERO_BYTES ? lazyZeros(api, shape, dtype, byteCount) : null;
      return tensor === null ? filledZeros(shape, dtype) : tensors.adopt(tensor, shape, dtype);
    },
  };
}

/** Runs operations of a context by name. */
function createOperations(api: TensorFlowApi, context: Pointer, status: Pointer, { describe, handleOf }: EagerTensors) {
  const results = new BigUint64Array(256);
  const resultCount = new Int32Array(1);

  /** Creates an operation with its inputs and attributes. The caller deletes it. */
  function prepare(
    name: string,
    attributes: readonly Attribute[],
    inputs: readonly NativeTensor[],
    on: Pointer,
  ): Pointer {
    const handles = inputs.map(handleOf);
    const op = api.TFE_NewOp(context, name, on);
    if (api.TF_GetCode(on) !== 0) return op;
    for (const handle of handles) api.TFE_OpAddInput(op, handle, on);
    writeAttributes(api, 'TFE_Op', op, attributes, on);
    return op;
  }

  return {
    /** See Executor. */
    execute(
      name: string,
      attributes: readonly Attribute[],
      inputs: readonly NativeTensor[],
      outputs: number,
    ): NativeTensor[] {
      const op = prepare(name, attributes, inputs, status);
      checkStatus(api, status, name);
      resultCount[0] = outputs;
      api.TFE_Execute(op, results, resultCount, status);
      api.TFE_DeleteOp(op);
      checkStatus(api, status, name);
      return Array.from({ length: outputs }, (_, i) => describe(results[i]!));
    },
    /** The same on another thread. Inputs must stay alive until it is done. */
    async executeAsync(
      name: string,
      attributes: readonly Attribute[],
      inputs: readonly NativeTensor[],
      outputs: number,
    ): Promise<NativeTensor[]> {
      const own = api.TF_NewStatus();
      try {
        const op = prepare(name, attributes, inputs, own);
        checkStatus(api, own, name);
        // Needs memory that does not move while another thread writes to it: a small typed array would be in V8's moving heap.
        const found = new BigUint64Array(new ArrayBuffer(8 * Math.max(1, outputs)));
        const count = new Int32Array(new ArrayBuffer(4));
        count[0] = outputs;
        await new Promise<void>((resolve, reject) => {
          api.TFE_Execute.async(op, found, count, own, (error) => (error ? reject(error) : resolve()));
        }).finally(() => api.TFE_DeleteOp(op));
        checkStatus(api, own, name);
        if (count[0] !== outputs) throw new ByteifyError(`${name} returned ${count[0]} results instead of ${outputs}.`);
        return Array.from({ length: outputs }, (_, i) => describe(found[i]!));
      } finally {
        api.TF_DeleteStatus(own);
      }
    },
  };
}
