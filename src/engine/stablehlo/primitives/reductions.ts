/** @module Over axes: reductions, sums over windows, sorting. */
import { DataType } from '../../data-type.js';
import { type Body, typeOf, type Value } from '../body.js';
import { extremesOf, tensorType } from '../types.js';
import { combiner } from './combiner.js';
import type { shapePrimitives } from './shapes.js';

export type Reduction = 'sum' | 'max' | 'min' | 'product' | 'all' | 'any';

const REDUCTIONS: Readonly<Record<Reduction, { readonly op: string; readonly start: (dtype: number) => number }>> = {
  sum: { op: 'add', start: () => 0 },
  max: { op: 'maximum', start: (dtype) => extremesOf(dtype)[0] },
  min: { op: 'minimum', start: (dtype) => extremesOf(dtype)[1] },
  product: { op: 'multiply', start: () => 1 },
  all: { op: 'and', start: () => 1 },
  any: { op: 'or', start: () => 0 },
};

export function reductionPrimitives(
  { emit, emitAll, splat }: Body,
  { reshape, iota }: Pick<ReturnType<typeof shapePrimitives>, 'reshape' | 'iota'>,
) {
  const reduce = (how: Reduction, x: Value, axes: readonly number[], keepAxes = false): Value => {
    const { op, start } = REDUCTIONS[how];
    const shape = x.shape.filter((_, axis) => !axes.includes(axis));
    const first = splat(start(x.dtype), [], x.dtype);
    const type = `(${typeOf(x)}, ${typeOf(first)}) -> ${tensorType(shape, x.dtype)}`;
    const reduced = emit(
      `stablehlo.reduce(${x.id} init: ${first.id}) applies stablehlo.${op} across dimensions = [${axes.join(', ')}] : ${type}`,
      shape,
      x.dtype,
    );
    return keepAxes
      ? reshape(
          reduced,
          x.shape.map((n, axis) => (axes.includes(axis) ? 1 : n)),
        )
      : reduced;
  };

  /** Sums over a window that slides along one axis, with zeros at both ends. */
  const windowSums = (x: Value, axis: number, window: number, low: number, high: number): Value => {
    const zero = splat(0, [], x.dtype);
    const shape = x.shape.map((n, i) => (i === axis ? n + low + high - window + 1 : n));
    const extents = x.shape.map((_, i) => (i === axis ? window : 1));
    const padding = x.shape.map((_, i) => (i === axis ? `[${low}, ${high}]` : '[0, 0]'));
    const attributes = `window_dimensions = array<i64: ${extents.join(', ')}>, padding = dense<[${padding.join(', ')}]> : tensor<${x.shape.length}x2xi64>`;
    const type = `(${typeOf(x)}, ${typeOf(zero)}) -> ${tensorType(shape, x.dtype)}`;
    return emit(
      `"stablehlo.reduce_window"(${x.id}, ${zero.id}) <{${attributes}}> ${combiner('add', x.dtype)} : ${type}`,
      shape,
      x.dtype,
    );
  };

  /** Values in descending order along the last axis, and their indices. Equal values keep their order. */
  const sortDescending = (x: Value): readonly [values: Value, indices: Value] => {
    const axis = x.shape.length - 1;
    const at = iota(x.shape, axis);
    const [float, int, flag] = [tensorType([], x.dtype), tensorType([], DataType.int32), tensorType([], DataType.bool)];
    const region = `({\n    ^bb0(%p: ${float}, %q: ${float}, %i: ${int}, %j: ${int}):\n      %r = stablehlo.compare GT, %p, %q : (${float}, ${float}) -> ${flag}\n      stablehlo.return %r : ${flag}\n    })`;
    const types = `(${typeOf(x)}, ${typeOf(at)})`;
    const [values, indices] = emitAll(
      `"stablehlo.sort"(${x.id}, ${at.id}) <{dimension = ${axis} : i64, is_stable = true}> ${region} : ${types} -> ${types}`,
      [x, at],
    );
    return [values!, indices!];
  };

  return { reduce, windowSums, sortDescending };
}
