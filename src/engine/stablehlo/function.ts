/** @module Functions in StableHLO's text, and the modules that contain them. */
import type { NativeTensor, TracedFunction } from '../executor.js';
import { typeOf, type Value } from './body.js';
import { divideKernels } from './divided-kernels.js';
import { placeProducts } from './placed-products.js';
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
  sharding: Sharding | null,
): string {
  const given = parameters.map(({ id }, i) => `${id}: ${types.parameters[i]}`).join(', ');
  const ids = returned.map(({ id }) => id).join(', ');
  return [
    `  func.func ${name}(${given}) -> (${types.results.join(', ')}) {`,
    ...(sharding === null ? lines : divideKernels(lines, sharding.devices)),
    ids === '' ? '    return' : `    return ${ids} : ${typesOf(results)}`,
    '  }',
  ].join('\n');
}

function calledText(fn: StableHloFunction, name: string, sharding: Sharding | null): string {
  const types = { parameters: fn.parameters.map(typeOf), results: fn.results.map(typeOf) };
  return functionText(fn, `private @${name}`, types, sharding);
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

/** The weights of a program that divides them and its batch. Where only weights are divided, as in an update, no rows have a place to stay at. */
function dividedWeights({ parameters }: StableHloFunction, { parameters: splits }: Sharding): readonly number[] {
  const divided = parameters.map((_, i) => splits[i] !== null);
  if (!parameters.some(({ isVariable }, i) => !isVariable && divided[i])) return [];
  return parameters.flatMap(({ isVariable }, i) => (isVariable && divided[i] ? [i] : []));
}

/** The texts of `fn` and of all functions that it calls, with the places of their products; a function once for each choice of its weights. */
function placedTexts(fn: StableHloFunction, sharding: Sharding, weights: readonly number[]): string[] {
  const all = new Map([...reachable(fn)].map((called) => [called.name, called]));
  const asked = new Map<string, { called: StableHloFunction; weights: readonly number[] }>();
  const nameOf = (called: string, theirs: readonly number[]): string => {
    const name = theirs.length === 0 ? called : `${called}_weights_${theirs.join('_')}`;
    asked.set(name, { called: all.get(called)!, weights: theirs });
    return name;
  };
  const placed = (one: StableHloFunction, own: readonly number[]): StableHloFunction => {
    const ids = new Set(own.map((i) => one.parameters[i]!.id));
    return { ...one, lines: placeProducts(one.lines, ids, { devices: sharding.devices, nameOf }) };
  };
  const texts = [functionText(placed(fn, weights), 'public @main', entrySignature(fn, sharding), sharding)];
  // Functions that these call in turn are added while they are written.
  for (const [name, { called, weights: own }] of asked) texts.push(calledText(placed(called, own), name, sharding));
  return texts;
}

/**
 * A module whose entry is `fn`. Equal programs have equal texts.
 * @param sharding over several devices; for one when null
 */
export function moduleText(fn: StableHloFunction, sharding: Sharding | null = null): string {
  const weights = sharding === null ? [] : dividedWeights(fn, sharding);
  const functions =
    sharding !== null && weights.length > 0
      ? placedTexts(fn, sharding, weights)
      : [
          functionText(fn, 'public @main', entrySignature(fn, sharding), sharding),
          ...[...reachable(fn)].map((called) => calledText(called, called.name, sharding)),
        ];
  const [attributes, mesh] =
    sharding === null ? ['', []] : [moduleAttributes(sharding.devices), [meshLine(sharding.devices)]];
  return `module @byteify ${attributes}{\n${[...mesh, ...functions].join('\n')}\n}\n`;
}
