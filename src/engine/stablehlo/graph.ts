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
import { createGraphValues, type GraphHost, type GraphValues } from './graph-values.js';
import { attributesOf } from './operation.js';
import { OPERATIONS } from './operations/index.js';
import { createPrimitives, type Primitives } from './primitives/index.js';
import { VARIABLE_OPERATIONS, type VariableState } from './variable-operations.js';

export type { GraphHost };

export interface StableHloGraph extends Graph {
  /** Operations so far. */
  size(): number;
  finish(name: string, outputs: readonly NativeTensor[]): StableHloFunction;
}

/** A parameter, with the variable that it is the value of. */
interface Given {
  readonly value: Value;
  readonly variable: VariableState | null;
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

function execute(
  primitives: Primitives,
  { operandOf, variableOf }: GraphValues,
  name: string,
  attributes: readonly Attribute[],
  from: readonly NativeTensor[],
): readonly Value[] {
  const onVariable = VARIABLE_OPERATIONS[name];
  if (onVariable !== undefined) {
    const [handle, ...rest] = from;
    return onVariable(primitives, variableOf(handle!), rest.map(operandOf));
  }
  const operation = OPERATIONS[name];
  if (operation === undefined)
    throw new ByteifyError(`${name} is not among the operations that byteify has for OpenXLA.`);
  const made = described(name, () => operation(primitives, from.map(operandOf), attributesOf(attributes)));
  return Array.isArray(made) ? (made as readonly Value[]) : [made as Value];
}

/** The parameters of a function, and its results: `returned`, followed by the new values of changed variables. */
function signatureOf(given: readonly Given[], returned: readonly Value[]) {
  const results = [...returned];
  const parameters = given.map(({ value, variable }): Parameter => {
    const isVariable = variable !== null;
    if (variable?.changed !== true) return { ...value, isVariable, update: null };
    results.push(variable.value);
    return { ...value, isVariable, update: results.length - 1 };
  });
  return { parameters, results };
}

/** Begins a trace. */
export function createStableHloGraph(host: GraphHost): StableHloGraph {
  const body = createBody();
  const primitives = createPrimitives(body);
  const values = createGraphValues(host, body);
  const { inBody, variableOf, adopt, captured, constants } = values;
  const inputs: Given[] = [];
  const called = new Set<StableHloFunction>();

  return {
    size: () => body.lines.length,
    input(like) {
      const isVariable = like.dtype === DataType.resource;
      const value = {
        id: `%a${inputs.length}`,
        shape: [...like.shape],
        dtype: isVariable ? like.valueType! : like.dtype,
      };
      const variable = isVariable ? { value, changed: false } : null;
      inputs.push({ value, variable });
      return variable === null ? adopt(value) : values.tensorOf({ variable }, like);
    },
    create: (bytes, shape, dtype) => values.tensorOf({ bytes: Uint8Array.from(bytes) }, { shape, dtype }),
    read: values.read,
    release(tensor) {
      if (tensor.output === undefined) host.release(tensor);
    },
    execute: (name, attributes, from) => execute(primitives, values, name, attributes, from).map(adopt),
    callCompiled(traced: TracedFunction, from) {
      const fn = traced as StableHloFunction;
      called.add(fn);
      const variables = from.map((tensor) => (tensor.dtype === DataType.resource ? variableOf(tensor) : null));
      const given = [...from.map((tensor, i) => variables[i]?.value ?? inBody(tensor)), ...fn.constants.map(inBody)];
      const types = `(${given.map(typeOf).join(', ')}) -> (${fn.results.map(typeOf).join(', ')})`;
      const results = body.emitAll(
        `func.call @${fn.name}(${given.map(({ id }) => id).join(', ')}) : ${types}`,
        fn.results,
      );
      fn.parameters.forEach(({ update }, i) => {
        if (update !== null) Object.assign(variables[i]!, { value: results[update]!, changed: true });
      });
      return results.slice(0, fn.shapes.length).map(adopt);
    },
    finish(name, outputs) {
      const returned = outputs.map(inBody);
      const variables = [...captured].map(([{ shape, valueType }, variable], i) => ({
        value: { id: `%v${i}`, shape, dtype: valueType! },
        variable,
      }));
      const held = [...constants.values()].map((value) => ({ value, variable: null }));
      const { parameters, results } = signatureOf([...inputs, ...variables, ...held], returned);
      return {
        ...{ name, parameters, returned: results, results: results.map(({ shape, dtype }) => ({ shape, dtype })) },
        ...{ lines: body.lines, called: [...called], operations: body.lines.length },
        captured: [...captured.keys()],
        changed: new Set([...captured].filter(([, { changed }]) => changed).map(([tensor]) => tensor)),
        constants: [...constants.keys()],
        changesVariables: parameters.some(({ update }) => update !== null),
        shapes: outputs.map(({ shape }) => [...shape]),
        remove: () => undefined,
      };
    },
    abandon: () => undefined,
  };
}
