/**
 * @module A function being traced into StableHLO. Variables become parameters: a read is the value that they have at this point, a change makes
 * another value, and the last one is returned in place of the parameter.
 */
import { ByteifyError } from '../../errors.js';
import type { Attribute } from '../attributes.js';
import { DataType } from '../data-type.js';
import type { Graph, NativeTensor, TracedFunction } from '../executor.js';
import { createBody, typeOf, type Value } from './body.js';
import type { Parameter, StableHloFunction } from './function.js';
import { attributesOf, type Operand } from './operation.js';
import { OPERATIONS } from './operations/index.js';
import { createPrimitives } from './primitives.js';
import { VARIABLE_OPERATIONS, type VariableState } from './variable-operations.js';

/** What a graph needs of the runtime whose values it uses. */
export interface GraphHost {
  /** Copies a value of the runtime. */
  read(tensor: NativeTensor): Uint8Array;
  release(tensor: NativeTensor): void;
  /** Whether the value of a tensor is written into the program. Otherwise the tensor becomes a parameter. */
  isLiteral(tensor: NativeTensor): boolean;
}

/** A tensor of a graph: a value of its body, values that are known while tracing, or a variable. */
interface Traced {
  value?: Value;
  readonly bytes?: Uint8Array;
  readonly variable?: VariableState;
}

export interface StableHloGraph extends Graph {
  /** Operations so far. */
  size(): number;
  /** The value of a tensor within the body. */
  inBody(tensor: NativeTensor): Value;
  finish(name: string, outputs: readonly NativeTensor[]): StableHloFunction;
}

/** Names the operation in an error about its inputs. */
function described<T>(name: string, add: () => T): T {
  try {
    return add();
  } catch (cause) {
    if (!(cause instanceof ByteifyError) || cause.hint !== undefined) throw cause;
    throw new ByteifyError(`OpenXLA cannot run ${name}: ${cause.message}`, { cause });
  }
}

interface MutableParameter {
  readonly value: Value;
  readonly variable: VariableState | null;
}

/** Begins a trace. */
export function createStableHloGraph(host: GraphHost): StableHloGraph {
  const body = createBody();
  const primitives = createPrimitives(body);
  const inputs: MutableParameter[] = [];
  const captured = new Map<NativeTensor, VariableState>();
  const constants = new Map<NativeTensor, Value>();
  const literals = new Map<object, Value>();
  const owned = new WeakSet<object>();
  const called = new Set<StableHloFunction>();

  function tensorOf(traced: Traced, shape: readonly number[], dtype: number, valueType?: number): NativeTensor {
    owned.add(traced);
    const typed = valueType === undefined ? {} : { valueType };
    return { handle: 0n, output: traced, shape: [...shape], dtype, ...typed };
  }

  const adopt = (value: Value): NativeTensor => tensorOf({ value }, value.shape, value.dtype);

  /** @throws ByteifyError for a tensor of another trace */
  function tracedOf({ output, shape }: NativeTensor): Traced | null {
    if (output === undefined) return null;
    if (owned.has(output)) return output as Traced;
    throw new ByteifyError(`A traced tensor [${shape.join(', ')}] is used in a trace other than its own.`, {
      hint: 'Pass it to the function as an input. Everything that a fused chain uses must be among its inputs.',
    });
  }

  function literal(key: object, bytes: Uint8Array, { shape, dtype }: NativeTensor): Value {
    const value = literals.get(key) ?? body.constant(bytes, shape, dtype);
    literals.set(key, value);
    return value;
  }

  function parameterFor(tensor: NativeTensor): Value {
    const { shape, dtype } = tensor;
    const value = constants.get(tensor) ?? { id: `%c${constants.size}`, shape: [...shape], dtype };
    constants.set(tensor, value);
    return value;
  }

  function inBody(tensor: NativeTensor): Value {
    const traced = tracedOf(tensor);
    if (traced?.value !== undefined) return traced.value;
    if (traced?.bytes !== undefined) return literal(traced, traced.bytes, tensor);
    if (traced !== null) throw new ByteifyError('A variable was used as a tensor.');
    return host.isLiteral(tensor) ? literal(tensor, host.read(tensor), tensor) : parameterFor(tensor);
  }

  function numbersOf(tensor: NativeTensor): readonly number[] {
    const bytes = read(tensor);
    return [...new Int32Array(Uint8Array.from(bytes).buffer)];
  }

  const operandOf = (tensor: NativeTensor): Operand => ({
    shape: tensor.shape,
    dtype: tensor.dtype,
    use: () => inBody(tensor),
    numbers: () => numbersOf(tensor),
  });

  /** @throws ByteifyError for values that only a call computes */
  function read(tensor: NativeTensor): Uint8Array {
    const traced = tracedOf(tensor);
    if (traced === null) return host.read(tensor);
    if (traced.bytes !== undefined) return traced.bytes;
    throw new ByteifyError(`The value of a traced tensor [${tensor.shape.join(', ')}] was read while tracing.`, {
      hint: 'A traced function only describes a computation: return the value as a result and read it after the call.',
    });
  }

  /** A variable's handle among a function's inputs, or one of the runtime's, which the function captures. */
  function variableOf(tensor: NativeTensor): VariableState {
    const traced = tracedOf(tensor);
    if (traced?.variable !== undefined) return traced.variable;
    const known = captured.get(tensor);
    if (known !== undefined) return known;
    const value = { id: `%v${captured.size}`, shape: [...tensor.shape], dtype: tensor.valueType! };
    const state: VariableState = { value, changed: false };
    captured.set(tensor, state);
    return state;
  }

  function execute(name: string, attributes: readonly Attribute[], from: readonly NativeTensor[]): NativeTensor[] {
    const onVariable = VARIABLE_OPERATIONS[name];
    if (onVariable !== undefined) {
      const [handle, ...rest] = from;
      return onVariable(primitives, variableOf(handle!), rest.map(operandOf)).map(adopt);
    }
    const operation = OPERATIONS[name];
    if (operation === undefined)
      throw new ByteifyError(`${name} is not among the operations that byteify has for OpenXLA.`);
    const made = described(name, () => operation(primitives, from.map(operandOf), attributesOf(attributes)));
    return (Array.isArray(made) ? (made as readonly Value[]) : [made as Value]).map(adopt);
  }

  return {
    size: () => body.lines.length,
    inBody,
    input({ shape, dtype, valueType }) {
      const id = `%a${inputs.length}`;
      if (dtype === DataType.resource) {
        const variable: VariableState = { value: { id, shape: [...shape], dtype: valueType! }, changed: false };
        inputs.push({ value: variable.value, variable });
        return tensorOf({ variable }, shape, dtype, valueType);
      }
      const value = { id, shape: [...shape], dtype };
      inputs.push({ value, variable: null });
      return adopt(value);
    },
    create: (bytes, shape, dtype) => tensorOf({ bytes: Uint8Array.from(bytes) }, shape, dtype),
    read,
    release(tensor) {
      if (tensor.output === undefined) host.release(tensor);
    },
    execute,
    callCompiled(traced: TracedFunction, from) {
      const fn = traced as StableHloFunction;
      called.add(fn);
      const variables = from.map((tensor) => (tensor.dtype === DataType.resource ? variableOf(tensor) : null));
      const given = [...from.map((tensor, i) => variables[i]?.value ?? inBody(tensor)), ...fn.constants.map(inBody)];
      const types = `(${given.map(typeOf).join(', ')}) -> (${fn.results.map(typeOf).join(', ')})`;
      const call = `func.call @${fn.name}(${given.map(({ id }) => id).join(', ')}) : ${types}`;
      const results = body.emitAll(call, fn.results);
      fn.parameters.forEach(({ update }, i) => {
        if (update !== null) Object.assign(variables[i]!, { value: results[update]!, changed: true });
      });
      return results.slice(0, fn.shapes.length).map(adopt);
    },
    finish(name, outputs) {
      const states: MutableParameter[] = [...captured].map(([tensor, variable], i) => ({
        value: { id: `%v${i}`, shape: [...tensor.shape], dtype: tensor.valueType! },
        variable,
      }));
      const returned = outputs.map(inBody);
      const held = [...constants.values()].map((value) => ({ value, variable: null }));
      const all = [...inputs, ...states, ...held];
      const parameters: Parameter[] = all.map(({ value, variable }) => {
        if (variable?.changed !== true) return { ...value, update: null };
        returned.push(variable.value);
        return { ...value, update: returned.length - 1 };
      });
      const changed = new Set([...captured].filter(([, { changed: is }]) => is).map(([tensor]) => tensor));
      return {
        name,
        parameters,
        returned,
        results: returned.map(({ shape, dtype }) => ({ shape, dtype })),
        lines: body.lines,
        called: [...called],
        changesVariables: parameters.some(({ update }) => update !== null),
        captured: [...captured.keys()],
        constants: [...constants.keys()],
        changed,
        shapes: outputs.map(({ shape }) => [...shape]),
        operations: body.lines.length,
        remove: () => undefined,
      };
    },
    abandon: () => undefined,
  };
}
