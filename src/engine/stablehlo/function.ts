/** @module Functions in StableHLO's text, and the modules that contain them. */
import type { NativeTensor, TracedFunction } from '../executor.js';
import { typeOf, type Value } from './body.js';
import { meshLine, moduleAttributes, type Sharding, shardingAttribute } from './sharding.js';

export interface Parameter extends Value {
  /** Whether it is the value of a variable. */
  readonly isVariable: boolean;
  /** The index of the result that takes its place: the new value of a variable. */
  readonly update: number | null;
}

/** A function that was traced into StableHLO. Its results are followed by the new values of the variables that it changes. */
export interface StableHloFunction extends TracedFunction {
  /** Inputs, then captured variables, then constants. */
  readonly parameters: readonly Parameter[];
  /** Tensors whose values are too large to be written into the program. */
  readonly constants: readonly NativeTensor[];
  readonly results: readonly Pick<Value, 'shape' | 'dtype'>[];
  /** What it computes. */
  readonly lines: readonly string[];
  readonly returned: readonly Value[];
  /** The functions that it calls. */
  readonly called: readonly StableHloFunction[];
}

type Type = Pick<Value, 'shape' | 'dtype'>;

const typesOf = (values: readonly Type[]) => values.map(typeOf).join(', ');

const withAttributes = (type: string, attributes: readonly string[]) =>
  attributes.length === 0 ? type : `${type} {${attributes.join(', ')}}`;

/** The types of the entry's parameters and results. Updated parameters share memory with the results that replace them. */
function entrySignature({ parameters, results }: StableHloFunction, sharding: Sharding | null) {
  const sharded = ({ shape }: Type, splits: keyof Pick<Sharding, 'parameters' | 'results'>, i: number) =>
    sharding === null ? [] : [shardingAttribute(shape.length, sharding[splits][i]!)];
  return {
    parameters: parameters.map(({ update, ...parameter }, i) => {
      const alias = update === null ? [] : [`tf.aliasing_output = ${update} : i32`];
      return withAttributes(typeOf(parameter), [...alias, ...sharded(parameter, 'parameters', i)]);
    }),
    results: results.map((result, i) => withAttributes(typeOf(result), sharded(result, 'results', i))),
  };
}

function functionText(
  { parameters, results, returned, lines }: StableHloFunction,
  name: string,
  types: { readonly parameters: readonly string[]; readonly results: readonly string[] },
): string {
  const given = parameters.map(({ id }, i) => `${id}: ${types.parameters[i]}`).join(', ');
  const ids = returned.map(({ id }) => id).join(', ');
  return [
    `  func.func ${name}(${given}) -> (${types.results.join(', ')}) {`,
    ...lines,
    ids === '' ? '    return' : `    return ${ids} : ${typesOf(results)}`,
    '  }',
  ].join('\n');
}

/** All functions that are called from one, each once. */
function reachable({ called }: StableHloFunction, known: Set<StableHloFunction> = new Set()): Set<StableHloFunction> {
  for (const fn of called) {
    if (known.has(fn)) continue;
    known.add(fn);
    reachable(fn, known);
  }
  return known;
}

/**
 * A module whose entry is `fn`. Equal programs have equal texts.
 * @param sharding over several devices; for one when null
 */
export function moduleText(fn: StableHloFunction, sharding: Sharding | null = null): string {
  const functions = [
    functionText(fn, 'public @main', entrySignature(fn, sharding)),
    ...[...reachable(fn)].map((called) =>
      functionText(called, `private @${called.name}`, {
        parameters: called.parameters.map(typeOf),
        results: called.results.map(typeOf),
      }),
    ),
  ];
  const [attributes, mesh] =
    sharding === null ? ['', []] : [moduleAttributes(sharding.devices), [meshLine(sharding.devices)]];
  return `module @byteify ${attributes}{\n${[...mesh, ...functions].join('\n')}\n}\n`;
}
