/** @module The body of a StableHLO function that is being written: values, and the operations that compute them, one per line. */
import { denseLiteral, scalarLiteral, tensorType } from './types.js';

/** A value within one body. */
export interface Value {
  /** For example `%7`, or `%7#1` for the second result of an operation. */
  readonly id: string;
  readonly shape: readonly number[];
  readonly dtype: number;
}

export const typeOf = ({ shape, dtype }: Pick<Value, 'shape' | 'dtype'>): string => tensorType(shape, dtype);

export interface Body {
  /** The operations so far. */
  readonly lines: readonly string[];
  /** Adds an operation with one result. @param text without `%id =` */
  emit(text: string, shape: readonly number[], dtype: number): Value;
  /** Adds an operation with several results. */
  emitAll(text: string, results: readonly Pick<Value, 'shape' | 'dtype'>[]): Value[];
  /** A number, spread over a shape. */
  splat(value: number, shape: readonly number[], dtype: number): Value;
  /** Values that are written into the program. */
  constant(bytes: Uint8Array, shape: readonly number[], dtype: number): Value;
}

export function createBody(): Body {
  const lines: string[] = [];
  const splats = new Map<string, Value>();
  let count = 0;

  function emitAll(text: string, results: readonly Pick<Value, 'shape' | 'dtype'>[]): Value[] {
    const id = `%${count++}`;
    const isOne = results.length === 1;
    lines.push(`    ${results.length === 0 ? '' : `${id}${isOne ? '' : `:${results.length}`} = `}${text}`);
    return results.map(({ shape, dtype }, i) => ({ id: isOne ? id : `${id}#${i}`, shape: [...shape], dtype }));
  }

  const emit = (text: string, shape: readonly number[], dtype: number): Value => emitAll(text, [{ shape, dtype }])[0]!;

  return {
    lines,
    emit,
    emitAll,
    splat(value, shape, dtype) {
      const text = `stablehlo.constant dense<${scalarLiteral(value, dtype)}> : ${tensorType(shape, dtype)}`;
      const known = splats.get(text) ?? emit(text, shape, dtype);
      splats.set(text, known);
      return known;
    },
    constant: (bytes, shape, dtype) =>
      emit(`stablehlo.constant ${denseLiteral(bytes, shape, dtype)} : ${tensorType(shape, dtype)}`, shape, dtype),
  };
}
