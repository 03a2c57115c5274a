/** @module Element by element. Two tensors are broadcast to their joint shape. */
import { DataType } from '../../data-type.js';
import { type Body, typeOf, type Value } from '../body.js';
import { tensorType } from '../types.js';
import type { shapePrimitives } from './shapes.js';

export type Comparison = 'EQ' | 'NE' | 'LT' | 'LE' | 'GT' | 'GE';

export function elementwisePrimitives(
  { emit }: Body,
  { together }: Pick<ReturnType<typeof shapePrimitives>, 'together'>,
) {
  /** Operations of CHLO, an extension of StableHLO, spell their types otherwise. */
  const unary = (op: string, x: Value, dtype = x.dtype): Value => {
    const [from, to] = [typeOf(x), tensorType(x.shape, dtype)];
    const type = op.startsWith('chlo.') ? `${from} -> ${to}` : dtype === x.dtype ? from : `(${from}) -> ${to}`;
    return emit(`${op} ${x.id} : ${type}`, x.shape, dtype);
  };

  const binary = (op: string, a: Value, b: Value): Value => {
    const [x, y] = together([a, b]) as [Value, Value];
    return emit(`stablehlo.${op} ${x.id}, ${y.id} : ${typeOf(x)}`, x.shape, x.dtype);
  };

  const compare = (how: Comparison, a: Value, b: Value): Value => {
    const [x, y] = together([a, b]) as [Value, Value];
    const type = `(${typeOf(x)}, ${typeOf(y)}) -> ${tensorType(x.shape, DataType.bool)}`;
    return emit(`stablehlo.compare ${how}, ${x.id}, ${y.id} : ${type}`, x.shape, DataType.bool);
  };

  const select = (condition: Value, a: Value, b: Value): Value => {
    const [c, x, y] = together([condition, a, b]) as [Value, Value, Value];
    return emit(`stablehlo.select ${c.id}, ${x.id}, ${y.id} : ${typeOf(c)}, ${typeOf(x)}`, x.shape, x.dtype);
  };

  const convert = (x: Value, dtype: number): Value =>
    x.dtype === dtype
      ? x
      : emit(`stablehlo.convert ${x.id} : (${typeOf(x)}) -> ${tensorType(x.shape, dtype)}`, x.shape, dtype);

  return { unary, binary, compare, select, convert };
}
