/**
 * @module A function being traced: it has the interface of a runtime, but its calls add nodes to a TensorFlow graph instead of running. All
 * shapes are static, so that XLA can compile the result.
 */
import { ByteifyError } from '../../errors.js';
import { type Attribute, attribute } from '../attributes.js';
import { DataType } from '../data-type.js';
import type { Graph, NativeTensor, Pointer, Runtime, TracedFunction } from '../executor.js';
import { checkStatus } from './check-status.js';
import { createGraphNodes, type GraphNodes, outputList } from './graph-nodes.js';
import type { GraphOutput, TensorFlowApi } from './native.js';
import { createVariableOrder } from './variable-order.js';
import { dims } from './write-attributes.js';

/** A traced function as a TF_Function in the context, under its name. */
interface TensorFlowFunction extends TracedFunction {
  readonly handle: Pointer;
}

/** What a graph needs of the eager context: values that the function captures, and a place for the finished function. */
export interface GraphHost extends Pick<Runtime, 'read' | 'release'> {
  /** Adds a TF_Function, which the caller keeps, to the context under its name. The returned function removes it again. */
  addFunction(fn: Pointer, name: string): () => void;
}

/** Begins a trace. */
export function createGraph(api: TensorFlowApi, runtime: GraphHost): Graph {
  const graph = api.TF_NewGraph();
  const status = api.TF_NewStatus();
  const nodes = createGraphNodes(api, graph, status);
  const inputs: GraphOutput[] = [];
  const values = createGraphValues(runtime, nodes);
  const operations = createGraphOperations({ api, graph, status, nodes, values });

  function close(): void {
    api.TF_DeleteGraph(graph);
    api.TF_DeleteStatus(status);
  }

  return {
    input({ shape, dtype, valueType }) {
      // A variable's handle is a scalar.
      const output = nodes.placeholder(dtype === DataType.resource ? [] : shape, dtype);
      inputs.push(output);
      const typed = valueType === undefined ? {} : { valueType };
      return values.own({ handle: 0n, output, shape: [...shape], dtype, ...typed });
    },
    create: (bytes, shape, dtype) =>
      values.own({ handle: 0n, output: nodes.constant(bytes, shape, dtype), shape: [...shape], dtype }),
    read(tensor) {
      if (tensor.output === undefined) return runtime.read(tensor);
      throw new ByteifyError(`The value of a traced tensor [${tensor.shape.join(', ')}] was read while tracing.`, {
        hint: 'A traced function only describes a computation: return the value as a result and read it after the call.',
      });
    },
    release(tensor) {
      if (tensor.output === undefined) runtime.release(tensor);
    },
    execute: operations.execute,
    callCompiled: operations.callCompiled,
    finish(name, outputs): TensorFlowFunction {
      const { changed, effects } = operations;
      const results = outputs.map(values.outputOf);
      const parts = { graph, name, inputs: [...inputs, ...values.captured.values()], results, effects };
      const handle = toFunction(api, parts, status);
      close();
      const removeFromContext = runtime.addFunction(handle, name);
      return {
        name,
        handle,
        changesVariables: effects.length > 0,
        captured: [...values.captured.keys()],
        changed,
        shapes: outputs.map(({ shape }) => [...shape]),
        operations: nodes.count(),
        remove() {
          removeFromContext();
          api.TF_DeleteFunction(handle);
        },
      };
    },
    abandon: close,
  };
}

interface GraphParts {
  readonly api: TensorFlowApi;
  readonly graph: Pointer;
  readonly status: Pointer;
  readonly nodes: GraphNodes;
  readonly values: ReturnType<typeof createGraphValues>;
}

/** Adds operations and function calls to a graph, and records which of them change variables. */
function createGraphOperations({ api, graph, status, nodes, values }: GraphParts) {
  const order = createVariableOrder();
  const changed = new Set<NativeTensor>();
  const effects: Pointer[] = [];
  const called = new Set<string>();

  /** Adds an operation, ordered after earlier operations on the variables among its inputs. */
  function operation(
    type: string,
    attributes: readonly Attribute[],
    from: readonly NativeTensor[],
    changes: boolean,
  ): Pointer {
    const variables = from.filter(({ dtype }) => dtype === DataType.resource);
    if (changes) for (const variable of variables) changed.add(variable);
    const add = (after: readonly Pointer[]) => nodes.node(type, attributes, from.map(values.outputOf), after);
    const op = order.use(variables.map(values.outputOf), type, { changes, fused: called.has(type) }, add);
    if (changes) effects.push(op);
    return op;
  }

  const outputsOf = (op: Pointer, type: string, count: number): NativeTensor[] =>
    Array.from({ length: count }, (_, index) => values.own(nodes.describe({ oper: op, index }, type)));

  /** Sets the shape of a result that TensorFlow cannot infer: a handle that is an input does not carry its variable's shape. */
  function setShape(output: GraphOutput, type: string, shape: readonly number[]): void {
    api.TF_GraphSetTensorShape(graph, output, dims(shape), shape.length, status);
    checkStatus(api, status, type);
  }

  /** The shape of a variable's value, or of the rows gathered from it. */
  const readShape = (type: string, [handle, ids]: readonly NativeTensor[]): readonly number[] =>
    type === 'ReadVariableOp' ? handle!.shape : [...ids!.shape, ...handle!.shape.slice(1)];

  return {
    /** Variables that the graph's operations change. */
    changed,
    /** The operations that change variables: they must run even if no result needs them. */
    effects,
    execute(name: string, attributes: readonly Attribute[], from: readonly NativeTensor[], outputs: number) {
      const op = operation(name, attributes, from, outputs === 0);
      if (name === 'ReadVariableOp' || name === 'ResourceGather')
        setShape({ oper: op, index: 0 }, name, readShape(name, from));
      return outputsOf(op, name, outputs);
    },
    callCompiled(fn: TracedFunction, from: readonly NativeTensor[]) {
      if (!called.has(fn.name)) {
        api.TF_GraphCopyFunction(graph, (fn as TensorFlowFunction).handle, null, status);
        checkStatus(api, status, fn.name);
        called.add(fn.name);
      }
      const op = operation(fn.name, [attribute.bool('_XlaMustCompile', true)], from, fn.changesVariables);
      fn.shapes.forEach((shape, index) => {
        setShape({ oper: op, index }, fn.name, shape);
      });
      return outputsOf(op, fn.name, fn.shapes.length);
    },
  };
}

interface FunctionParts {
  readonly graph: Pointer;
  readonly name: string;
  readonly inputs: readonly GraphOutput[];
  readonly results: readonly GraphOutput[];
  /** Nodes that must run even if no result needs them. */
  readonly effects: readonly Pointer[];
}

/** Turns a graph into a TF_Function. */
function toFunction(api: TensorFlowApi, parts: FunctionParts, status: Pointer): Pointer {
  const { graph, name, inputs, results, effects } = parts;
  const fn = api.TF_GraphToFunctionWithControlOutputs(
    graph,
    name,
    0,
    -1,
    null,
    inputs.length,
    outputList(inputs),
    results.length,
    outputList(results),
    null,
    effects.length,
    effects.length === 0 ? null : BigUint64Array.from(effects, BigInt),
    null,
    null,
    null,
    status,
  );
  checkStatus(api, status, 'TF_GraphToFunction');
  return fn;
}

/** Maps tensors to their outputs in a graph. */
function createGraphValues(runtime: GraphHost, { placeholder, constant }: GraphNodes) {
  const captured = new Map<NativeTensor, GraphOutput>();
  const constants = new Map<NativeTensor, GraphOutput>();
  const owned = new WeakSet<GraphOutput>();
  return {
    /** Handles of variables that the function uses. They become further inputs. */
    captured,
    /** Records that a tensor belongs to this graph. */
    own(tensor: NativeTensor): NativeTensor {
      owned.add(tensor.output as GraphOutput);
      return tensor;
    },
    /** A tensor's own output in this graph, a variable's handle as a further input, or its value as a constant. */
    outputOf(tensor: NativeTensor): GraphOutput {
      if (tensor.output !== undefined) {
        const output = tensor.output as GraphOutput;
        if (owned.has(output)) return output;
        throw new ByteifyError(`A traced tensor [${tensor.shape.join(', ')}] is used in a trace other than its own.`, {
          hint: 'Pass it to the function as an input. Everything that a fused chain uses must be among its inputs.',
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
    },
  };
}
