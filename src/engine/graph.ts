/**
 * @module A function being traced: a runtime's calls, which add nodes to a TensorFlow graph instead of running. Shapes are static
 * throughout, so that XLA can compile what comes out.
 */
import { ByteifyError } from '../errors.js';
import { type Attribute, attribute } from './attributes.js';
import { checkStatus, type Executor, type NativeTensor, type Runtime } from './executor.js';
import { createGraphNodes, type GraphNodes, outputList } from './graph-nodes.js';
import { DataType, type GraphOutput, type Pointer, type TensorFlowApi } from './native.js';
import { createVariableOrder } from './variable-order.js';
import { dims } from './write-attributes.js';

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

/** Begins a trace. `runtime` reads values that the function captures, and gets the function when it is finished. */
export function createGraph(api: TensorFlowApi, runtime: Runtime): Graph {
  const graph = api.TF_NewGraph();
  const status = api.TF_NewStatus();
  const nodes = createGraphNodes(api, graph, status);
  const order = createVariableOrder();
  const inputs: GraphOutput[] = [];
  const values = createGraphValues(runtime, nodes);
  const changed = new Set<NativeTensor>();
  const effects: Pointer[] = [];
  const called = new Set<string>();

  /** Adds an operation, in order with what else uses the variables among its inputs, and gives its outputs. */
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

  /** A handle that comes in as an input does not tell its variable's shape. */
  function tellShape(op: Pointer, type: string, from: readonly NativeTensor[]): void {
    const { shape: whole } = from[0]!;
    const shape = type === 'ReadVariableOp' ? whole : [...from[1]!.shape, ...whole.slice(1)];
    api.TF_GraphSetTensorShape(graph, { oper: op, index: 0 }, dims(shape), shape.length, status);
    checkStatus(api, status, type);
  }

  function close(): void {
    api.TF_DeleteGraph(graph);
    api.TF_DeleteStatus(status);
  }

  return {
    input(shape, dtype) {
      const output = nodes.placeholder(shape, dtype);
      inputs.push(output);
      return values.own({ handle: 0n, output, shape: [...shape], dtype });
    },
    create: (bytes, shape, dtype) =>
      values.own({ handle: 0n, output: nodes.constant(bytes, shape, dtype), shape: [...shape], dtype }),
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
      const op = operation(name, attributes, from, outputs === 0);
      if (name === 'ReadVariableOp' || name === 'ResourceGather') tellShape(op, name, from);
      return outputsOf(op, name, outputs);
    },
    callCompiled(fn, from) {
      if (!called.has(fn.name)) {
        api.TF_GraphCopyFunction(graph, fn.handle, null, status);
        checkStatus(api, status, fn.name);
        called.add(fn.name);
      }
      const op = operation(fn.name, [attribute.bool('_XlaMustCompile', true)], from, fn.changesVariables);
      return outputsOf(op, fn.name, fn.outputs);
    },
    finish(name, outputs) {
      const results = outputs.map(values.outputOf);
      const fn = toFunction(
        api,
        { graph, name, inputs: [...inputs, ...values.captured.values()], results, effects },
        status,
      );
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
        captured: [...values.captured.keys()],
        changed,
        outputs: outputs.length,
        operations: nodes.count(),
        remove,
      };
    },
    abandon: close,
  };
}

interface FunctionParts {
  readonly graph: Pointer;
  readonly name: string;
  readonly inputs: readonly GraphOutput[];
  readonly results: readonly GraphOutput[];
  /** Nodes that must run although no result needs them. */
  readonly effects: readonly Pointer[];
}

/** A graph as a TF_Function. */
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

/** Where tensors are in a graph. */
function createGraphValues(runtime: Runtime, { placeholder, constant }: GraphNodes) {
  const captured = new Map<NativeTensor, GraphOutput>();
  const constants = new Map<NativeTensor, GraphOutput>();
  const owned = new WeakSet<GraphOutput>();
  return {
    /** Handles of variables that the function uses: further inputs of it. */
    captured,
    /** Remembers a tensor of this graph. */
    own(tensor: NativeTensor): NativeTensor {
      owned.add(tensor.output!);
      return tensor;
    },
    /** A tensor's own output in this graph, a variable's handle as a further input, or its value as a constant. */
    outputOf(tensor: NativeTensor): GraphOutput {
      if (tensor.output !== undefined) {
        if (owned.has(tensor.output)) return tensor.output;
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
    },
  };
}
