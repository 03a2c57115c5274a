/** @module Functions in StableHLO's text, and the modules that contain them. */
import type { NativeTensor, TracedFunction } from '../executor.js';
import { typeOf, type Value } from './body.js';

export interface Parameter extends Value {
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

const typesOf = (values: readonly Pick<Value, 'shape' | 'dtype'>[]) => values.map(typeOf).join(', ');

/** @param isEntry the entry's updated parameters share memory with the results that replace them */
function functionText(fn: StableHloFunction, isEntry: boolean): string {
  const parameters = fn.parameters.map(({ id, shape, dtype, update }) => {
    const alias = isEntry && update !== null ? ` {tf.aliasing_output = ${update} : i32}` : '';
    return `${id}: ${typeOf({ shape, dtype })}${alias}`;
  });
  const results = typesOf(fn.results);
  const returned = fn.returned.map(({ id }) => id).join(', ');
  return [
    `  func.func ${isEntry ? 'public @main' : `private @${fn.name}`}(${parameters.join(', ')}) -> (${results}) {`,
    ...fn.lines,
    returned === '' ? '    return' : `    return ${returned} : ${results}`,
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

/** A module whose entry is `fn`. Equal programs have equal texts. */
export function moduleText(fn: StableHloFunction): string {
  const others = [...reachable(fn)].map((each) => functionText(each, false));
  return `module @byteify {\n${[functionText(fn, true), ...others].join('\n')}\n}\n`;
}
