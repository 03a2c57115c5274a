/**
 * @module A function being traced: a runtime's calls, which add nodes to a TensorFlow graph instead of running. Shapes are static
 * throughout, so that XLA can compile what comes out.
 */
import { ByteifyError } from '../errors.js';
import { type Attribute, attribute } from './attributes.js';
import { DataType, type GraphOutput, type Pointer, type TensorFlowApi } from './native.js';
import { bytesOfType, checkStatus, type Executor, type NativeTensor, type Runtime } from './runtime.js';
import { dims, writeAttributes } from './write-attributes.js';

/** Constants beyond this are refused: they would be copied into the compiled function. RoPE tables of 16k positions fit. */
const LARGEST_CONSTANT_BYTES = 4 * 2 ** 20;
/** Beyond this, values that are all alike become a Fill. */
const SMALL_CONSTANT_BYTES = 256;

/** Operations whose first inputs are one list, as long as their attribute N says. */
const LIST_INPUTS = new Set(['ConcatV2', 'Pack', 'AddN']);

export interface TracedFunction {
  readonly name: string;
  /** The TF_Function. */
  readonly handle: Pointer;
  /** Whether it changes variables: such a call must run although nothing reads its results. */
  readonly changesVariables: boolean;
  /** Variables' handles, which follow the inputs at each call. */
  readonly captured: readonly NativeTensor[];
  /** Those of the captured variables that the function changes. */
  readonly changed: ReadonlySet<NativeTensor>;
  readonly outputs: number;
  readonly operations: number;
  remove(): void;
}

export interface Graph extends Executor {
  input(shape: readonly number[], dtype: number): NativeTensor;
  /** A call of another function, compiled by XLA on its own. It may capture no variables. */
  callCompiled(fn: TracedFunction, inputs: readonly NativeTensor[]): NativeTensor[];
  /** Turns the graph into a function of its inputs that gives `outputs`; the graph is gone afterwards. */
  finish(name: string, outputs: readonly NativeTensor[]): TracedFunction;
  /** Gives the graph up. */
  abandon(): void;
}

function uniform(bytes: Uint8Array, width: number): boolean {
  for (let i = width; i < bytes.length; i++) if (bytes[i] !== bytes[i - width]) return false;
  return true;
}

/** A list of TF_Output as the C API takes it: 16 bytes each. */
function outputList(outputs: readonly GraphOutput[]): Uint8Array {
  const buffer = new ArrayBuffer(16 * Math.max(1, outputs.length));
  const [pointers, indices] = [new BigUint64Array(buffer), new Int32Array(buffer)];
  outputs.forEach(({ oper, index }, i) => {
    pointers[2 * i] = BigInt(oper);
    indices[4 * i + 2] = index;
  });
  return new Uint8Array(buffer);
}

/** What was done to a variable: a read waits for the last change, a change for that and for the reads since. */
interface History {
  change: Pointer | null;
  reads: Pointer[];
  /** XLA does not keep the order of a fused update and what comes after it. */
  fused: boolean;
}

/** Begins a trace. `runtime` reads values that the function captures, and gets the function when it is finished. */
export function createGraph(api: TensorFlowApi, runtime: Runtime): Graph {
  const graph = api.TF_NewGraph();
  const status = api.TF_NewStatus();
  const inputs: GraphOutput[] = [];
  const captured = new Map<NativeTensor, GraphOutput>();
  const changed = new Set<NativeTensor>();
  const constants = new Map<NativeTensor, GraphOutput>();
  const effects: Pointer[] = [];
  const called = new Set<string>();
  const own = new WeakSet<GraphOutput>();
  const histories = new Map<string, History>();
  let nodes = 0;

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
    const op = api.TF_NewOperation(graph, type, `${type}_${nodes++}`);
    for (const earlier of after) api.TF_AddControlInput(op, earlier);
    const list = LIST_INPUTS.has(type) ? listLength(attributes, from.length) : 0;
    if (list > 0) api.TF_AddInputList(op, outputList(from.slice(0, list)), list);
    for (const input of from.slice(list)) api.TF_AddInput(op, input);
    // A list's length follows from the list.
    const rest = list > 0 ? attributes.filter(({ name }) => name !== 'N') : attributes;
    writeAttributes(api, 'TF_', op, rest, status);
    return finishNode(op, type);
  }

  function listLength(attributes: readonly Attribute[], all: number): number {
    const count = attributes.find(({ name }) => name === 'N');
    return count === undefined ? all : (count.value as number);
  }

  function describe(output: GraphOutput, type: string): NativeTensor {
    const rank = api.TF_GraphGetTensorNumDims(graph, output, status);
    checkStatus(api, status, type);
    const found = new BigInt64Array(Math.max(1, rank));
    if (rank > 0) api.TF_GraphGetTensorShape(graph, output, found, rank, status);
    checkStatus(api, status, type);
    const shape = Array.from(found.subarray(0, Math.max(0, rank)), Number);
    if (rank < 0 || shape.some((extent) => extent < 0)) {
      throw new ByteifyError(`A traced function cannot know the shape that ${type} gives.`, {
        hint: 'Its inputs that say a shape must be values known while tracing, not traced tensors.',
      });
    }
    own.add(output);
    return { handle: 0n, output, shape, dtype: api.TF_OperationOutputType(output) };
  }

  function constantNode(bytes: Uint8Array, shape: readonly number[], dtype: number): GraphOutput {
    const tensor = api.TF_AllocateTensor(dtype, dims(shape), shape.length, bytes.byteLength);
    if (bytes.byteLength > 0) api.copyToNative(api.TF_TensorData(tensor), bytes, bytes.byteLength);
    const op = api.TF_NewOperation(graph, 'Const', `Const_${nodes++}`);
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
    if (bytes.byteLength > LARGEST_CONSTANT_BYTES) {
      throw new ByteifyError(
        `A traced function captures a tensor [${shape.join(', ')}] of ${bytes.byteLength} bytes as a constant.`,
        { hint: 'Hand it to the function as an input, or hold it in a variable.' },
      );
    }
    return constantNode(bytes, shape, dtype);
  }

  function placeholder(shape: readonly number[], dtype: number): GraphOutput {
    const types = [attribute.nativeType('dtype', dtype), attribute.shape('shape', shape)];
    return { oper: node('Placeholder', types, []), index: 0 };
  }

  /** Where a tensor stands in the graph: its own output, a variable's handle as a further input, or its value as a constant. */
  function outputOf(tensor: NativeTensor): GraphOutput {
    if (tensor.output !== undefined) {
      if (own.has(tensor.output)) return tensor.output;
      throw new ByteifyError(`A traced tensor [${tensor.shape.join(', ')}] is used in another trace than its own.`, {
        hint: 'Hand it to the function as an input; what a fused chain uses must be among its inputs.',
      });
    }
    const known = captured.get(tensor) ?? constants.get(tensor);
    if (known !== undefined) return known;
    const isResource = tensor.dtype === DataType.resource;
    const made = isResource
      ? placeholder([], tensor.dtype)
      : constant(runtime.read(tensor), tensor.shape, tensor.dtype);
    (isResource ? captured : constants).set(tensor, made);
    return made;
  }

  /** A node on variables, after what was done to them before: TensorFlow keeps no order of its own. */
  function nodeInOrder(
    type: string,
    attributes: readonly Attribute[],
    from: readonly NativeTensor[],
    changes: boolean,
  ): Pointer {
    const touched = from
      .filter(({ dtype }) => dtype === DataType.resource)
      .map((resource) => {
        if (changes) changed.add(resource);
        const { oper, index } = outputOf(resource);
        const key = `${oper} ${index}`;
        const history = histories.get(key) ?? { change: null, reads: [], fused: false };
        if (history.fused) {
          throw new ByteifyError(`A traced function uses a variable again (${type}) after a fused update changed it.`, {
            hint: 'Read it before the update, or in another compiled function.',
          });
        }
        histories.set(key, history);
        return history;
      });
    const after = touched.flatMap(({ change, reads }) => [
      ...(change === null ? [] : [change]),
      ...(changes ? reads : []),
    ]);
    const op = node(type, attributes, from.map(outputOf), after);
    for (const history of touched) {
      if (changes) [history.change, history.reads, history.fused] = [op, [], called.has(type)];
      else history.reads.push(op);
    }
    return op;
  }

  function close(): void {
    api.TF_DeleteGraph(graph);
    api.TF_DeleteStatus(status);
  }

  return {
    input(shape, dtype) {
      const made = placeholder(shape, dtype);
      inputs.push(made);
      own.add(made);
      return { handle: 0n, output: made, shape: [...shape], dtype };
    },
    create(bytes, shape, dtype) {
      const output = constant(bytes, shape, dtype);
      own.add(output);
      return { handle: 0n, output, shape: [...shape], dtype };
    },
    read(tensor) {
      if (tensor.output === undefined) return runtime.read(tensor);
      throw new ByteifyError(`The value of a traced tensor [${tensor.shape.join(', ')}] was asked for while tracing.`, {
        hint: 'A traced function only describes a computation: give the value out as a result and read it after the call.',
      });
    },
    release(tensor) {
      if (tensor.output === undefined) runtime.release(tensor);
    },
    execute(name, attributes, from, outputs) {
      const op = nodeInOrder(name, attributes, from, outputs === 0);
      if (outputs === 0) effects.push(op);
      if (name === 'ReadVariableOp' || name === 'ResourceGather') {
        // A handle that comes in as an input does not tell its shape.
        const { shape: whole } = from[0]!;
        const shape = name === 'ReadVariableOp' ? whole : [...from[1]!.shape, ...whole.slice(1)];
        api.TF_GraphSetTensorShape(graph, { oper: op, index: 0 }, dims(shape), shape.length, status);
        checkStatus(api, status, name);
      }
      return Array.from({ length: outputs }, (_, index) => describe({ oper: op, index }, name));
    },
    callCompiled(fn, from) {
      if (!called.has(fn.name)) {
        api.TF_GraphCopyFunction(graph, fn.handle, null, status);
        checkStatus(api, status, fn.name);
        called.add(fn.name);
      }
      const op = nodeInOrder(fn.name, [attribute.bool('_XlaMustCompile', true)], from, fn.changesVariables);
      if (fn.changesVariables) effects.push(op);
      return Array.from({ length: fn.outputs }, (_, index) => describe({ oper: op, index }, fn.name));
    },
    finish(name, outputs) {
      const results = outputs.map(outputOf);
      const all = [...inputs, ...captured.values()];
      const controls = effects.length === 0 ? null : BigUint64Array.from(effects, BigInt);
      const fn = api.TF_GraphToFunctionWithControlOutputs(
        graph,
        name,
        0,
        -1,
        null,
        all.length,
        outputList(all),
        results.length,
        outputList(results),
        null,
        effects.length,
        controls,
        null,
        null,
        null,
        status,
      );
      checkStatus(api, status, 'TF_GraphToFunction');
      close();
      const removeFromContext = runtime.addFunction(fn, name);
      const remove = () => {
        removeFromContext();
        api.TF_DeleteFunction(fn);
      };
      return {
        name,
        handle: fn,
        changesVariables: effects.length > 0,
        captured: [...captured.keys()],
        changed,
        outputs: outputs.length,
        operations: nodes,
        remove,
      };
    },
    abandon: close,
  };
}
