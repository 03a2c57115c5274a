/** @module StableHLO's operations as functions over the values of a body (https://openxla.org/stablehlo/spec). Shapes follow numpy's rules. */
import { ByteifyError } from '../../errors.js';
import { DataType } from '../data-type.js';
import { type Body, typeOf, type Value } from './body.js';
import { extremesOf, tensorType } from './types.js';

const isSame = (a: readonly number[], b: readonly number[]) => a.length === b.length && a.every((n, i) => n === b[i]);
const range = (length: number) => Array.from({ length }, (_, i) => i);

/** The shape that several are broadcast to. @throws ByteifyError when they do not fit */
function jointShape(shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return range(rank).map((axis) => {
    const extents = shapes.map((shape) => shape[axis - rank + shape.length] ?? 1);
    const extent = extents.find((n) => n !== 1) ?? 1;
    if (extents.some((n) => n !== 1 && n !== extent)) {
      throw new ByteifyError(
        `Shapes ${shapes.map((shape) => `[${shape.join(', ')}]`).join(' and ')} do not fit together.`,
      );
    }
    return extent;
  });
}

/** Keeps float32 products at full precision on GPUs, whose default is 10 bits. */
const exactly = (dtype: number) => (dtype === DataType.float32 ? ', precision = [HIGHEST, HIGHEST]' : '');

/** How values are combined over axes, and from which number on. */
export type Reduction = 'sum' | 'max' | 'min' | 'product' | 'all' | 'any';

const REDUCTIONS: Readonly<Record<Reduction, { readonly op: string; readonly start: (dtype: number) => number }>> = {
  sum: { op: 'add', start: () => 0 },
  max: { op: 'maximum', start: (dtype) => extremesOf(dtype)[0] },
  min: { op: 'minimum', start: (dtype) => extremesOf(dtype)[1] },
  product: { op: 'multiply', start: () => 1 },
  all: { op: 'and', start: () => 1 },
  any: { op: 'or', start: () => 0 },
};

/** How rows that fall on the same index are combined. `replace` keeps one of them. */
export type Combination = 'add' | 'maximum' | 'replace';

export type Comparison = 'EQ' | 'NE' | 'LT' | 'LE' | 'GT' | 'GE';

export type Primitives = ReturnType<typeof createPrimitives>;

export function createPrimitives(body: Body) {
  const { emit, emitAll, splat } = body;

  /** Operations of CHLO, an extension of StableHLO, spell their types otherwise. */
  const unary = (op: string, x: Value, dtype = x.dtype): Value => {
    const [from, to] = [typeOf(x), tensorType(x.shape, dtype)];
    const type = op.startsWith('chlo.') ? `${from} -> ${to}` : dtype === x.dtype ? from : `(${from}) -> ${to}`;
    return emit(`${op} ${x.id} : ${type}`, x.shape, dtype);
  };

  const reshape = (x: Value, shape: readonly number[]): Value =>
    isSame(x.shape, shape)
      ? x
      : emit(`stablehlo.reshape ${x.id} : (${typeOf(x)}) -> ${tensorType(shape, x.dtype)}`, shape, x.dtype);

  /** @param axes where each axis of `x` goes */
  const broadcastAlong = (x: Value, shape: readonly number[], axes: readonly number[]): Value =>
    emit(
      `stablehlo.broadcast_in_dim ${x.id}, dims = [${axes.join(', ')}] : (${typeOf(x)}) -> ${tensorType(shape, x.dtype)}`,
      shape,
      x.dtype,
    );

  const broadcast = (x: Value, shape: readonly number[]): Value => {
    if (isSame(x.shape, shape)) return x;
    jointShape([x.shape, shape]);
    const lead = shape.length - x.shape.length;
    return broadcastAlong(
      x,
      shape,
      range(x.shape.length).map((axis) => axis + lead),
    );
  };

  const together = (values: readonly Value[]): Value[] => {
    const shape = jointShape(values.map((value) => value.shape));
    return values.map((value) => broadcast(value, shape));
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

  const transpose = (x: Value, permutation: readonly number[]): Value => {
    const shape = permutation.map((axis) => x.shape[axis]!);
    const type = `(${typeOf(x)}) -> ${tensorType(shape, x.dtype)}`;
    return emit(`stablehlo.transpose ${x.id}, dims = [${permutation.join(', ')}] : ${type}`, shape, x.dtype);
  };

  const slice = (x: Value, begin: readonly number[], size: readonly number[]): Value => {
    const ranges = begin.map((first, axis) => `${first}:${first + size[axis]!}`).join(', ');
    return emit(`stablehlo.slice ${x.id} [${ranges}] : (${typeOf(x)}) -> ${tensorType(size, x.dtype)}`, size, x.dtype);
  };

  const concatenate = (list: readonly Value[], axis: number): Value => {
    const [first] = list as [Value];
    const shape = first.shape.map((n, i) => (i === axis ? list.reduce((sum, part) => sum + part.shape[axis]!, 0) : n));
    const type = `(${list.map(typeOf).join(', ')}) -> ${tensorType(shape, first.dtype)}`;
    return emit(
      `stablehlo.concatenate ${list.map(({ id }) => id).join(', ')}, dim = ${axis} : ${type}`,
      shape,
      first.dtype,
    );
  };

  const pad = (x: Value, fill: Value, low: readonly number[], high: readonly number[]): Value => {
    const shape = x.shape.map((n, i) => n + low[i]! + high[i]!);
    const interior = x.shape.map(() => 0);
    const type = `(${typeOf(x)}, ${typeOf(fill)}) -> ${tensorType(shape, x.dtype)}`;
    return emit(
      `stablehlo.pad ${x.id}, ${fill.id}, low = [${low.join(', ')}], high = [${high.join(', ')}], interior = [${interior.join(', ')}] : ${type}`,
      shape,
      x.dtype,
    );
  };

  const reverse = (x: Value, axes: readonly number[]): Value =>
    emit(`stablehlo.reverse ${x.id}, dims = [${axes.join(', ')}] : ${typeOf(x)}`, x.shape, x.dtype);

  /** Counts along an axis. */
  const iota = (shape: readonly number[], axis: number): Value =>
    emit(`stablehlo.iota dim = ${axis} : ${tensorType(shape, DataType.int32)}`, shape, DataType.int32);

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

  /** A region that combines two scalars. */
  const combiner = (op: string, dtype: number): string => {
    const type = tensorType([], dtype);
    return `({\n    ^bb0(%p: ${type}, %q: ${type}):\n      %r = stablehlo.${op} %p, %q : ${type}\n      stablehlo.return %r : ${type}\n    })`;
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

  /** Products of matrices, of batches of matrices, or of batches that are broadcast. */
  const dot = (a: Value, b: Value, transposeA: boolean, transposeB: boolean): Value => {
    if (a.shape.length < 2 || b.shape.length < 2) throw new ByteifyError('Matrices have at least two axes.');
    const batch = jointShape([a.shape.slice(0, -2), b.shape.slice(0, -2)]);
    const [x, y] = [a, b].map((value) => broadcast(value, [...batch, ...value.shape.slice(-2)])) as [Value, Value];
    const rank = batch.length + 2;
    const [rows, summedA] = transposeA ? [rank - 1, rank - 2] : [rank - 2, rank - 1];
    const [columns, summedB] = transposeB ? [rank - 2, rank - 1] : [rank - 1, rank - 2];
    if (x.shape[summedA] !== y.shape[summedB]) {
      throw new ByteifyError(`Matrices [${a.shape.join(', ')}] and [${b.shape.join(', ')}] cannot be multiplied.`);
    }
    const shape = [...batch, x.shape[rows]!, y.shape[columns]!];
    const axes = range(batch.length).join(', ');
    const batching = batch.length === 0 ? '' : `batching_dims = [${axes}] x [${axes}], `;
    const type = `(${typeOf(x)}, ${typeOf(y)}) -> ${tensorType(shape, x.dtype)}`;
    return emit(
      `stablehlo.dot_general ${x.id}, ${y.id}, ${batching}contracting_dims = [${summedA}] x [${summedB}]${exactly(x.dtype)} : ${type}`,
      shape,
      x.dtype,
    );
  };

  /**
   * Slices of `x` at indices along one axis. Indices that are out of range are moved into it.
   * @param batchAxes how many leading axes of both belong together
   * @returns x.shape[..axis], ids.shape[batchAxes..], x.shape[axis + 1..]
   */
  const gather = (x: Value, ids: Value, axis = 0, batchAxes = 0): Value => {
    const before = x.shape.slice(0, axis);
    const after = x.shape.slice(axis + 1);
    const own = ids.shape.slice(batchAxes);
    const shape = [...before, ...own, ...after];
    const offsets = [...range(axis).slice(batchAxes), ...after.map((_, i) => axis + own.length + i)];
    const batch = range(batchAxes).join(', ');
    const batching =
      batchAxes === 0 ? '' : `operand_batching_dims = [${batch}], start_indices_batching_dims = [${batch}], `;
    const numbers = `offset_dims = [${offsets.join(', ')}], collapsed_slice_dims = [${axis}], ${batching}start_index_map = [${axis}], index_vector_dim = ${ids.shape.length}`;
    const sizes = x.shape.map((n, i) => (i === axis || i < batchAxes ? 1 : n));
    return gatherOf(x, ids, numbers, sizes, shape);
  };

  /** Elements of `x` at indices [..., k] into its first k axes. */
  const gatherElements = (x: Value, ids: Value): Value => {
    const depth = ids.shape.at(-1)!;
    const outer = ids.shape.slice(0, -1);
    const rest = x.shape.slice(depth);
    const collapsed = range(depth).join(', ');
    const offsets = rest.map((_, i) => outer.length + i).join(', ');
    const numbers = `offset_dims = [${offsets}], collapsed_slice_dims = [${collapsed}], start_index_map = [${collapsed}], index_vector_dim = ${outer.length}`;
    const sizes = x.shape.map((n, i) => (i < depth ? 1 : n));
    return gatherOf(x, ids, numbers, sizes, [...outer, ...rest]);
  };

  const gatherOf = (
    x: Value,
    ids: Value,
    numbers: string,
    sizes: readonly number[],
    shape: readonly number[],
  ): Value => {
    const attributes = `dimension_numbers = #stablehlo.gather<${numbers}>, slice_sizes = array<i64: ${sizes.join(', ')}>, indices_are_sorted = false`;
    const type = `(${typeOf(x)}, ${typeOf(ids)}) -> ${tensorType(shape, x.dtype)}`;
    return emit(`"stablehlo.gather"(${x.id}, ${ids.id}) <{${attributes}}> : ${type}`, shape, x.dtype);
  };

  /** `into` with rows combined at indices of its first axis. Rows whose index is out of range are dropped. */
  const scatter = (how: Combination, into: Value, ids: Value, rows: Value): Value => {
    const windows = into.shape.slice(1).map((_, i) => i + ids.shape.length);
    const scalar = tensorType([], into.dtype);
    const region =
      how === 'replace'
        ? `({\n    ^bb0(%p: ${scalar}, %q: ${scalar}):\n      stablehlo.return %q : ${scalar}\n    })`
        : combiner(how, into.dtype);
    const numbers = `update_window_dims = [${windows.join(', ')}], inserted_window_dims = [0], scatter_dims_to_operand_dims = [0], index_vector_dim = ${ids.shape.length}`;
    const attributes = `scatter_dimension_numbers = #stablehlo.scatter<${numbers}>, indices_are_sorted = false, unique_indices = false`;
    const type = `(${typeOf(into)}, ${typeOf(ids)}, ${typeOf(rows)}) -> ${typeOf(into)}`;
    return emit(
      `"stablehlo.scatter"(${into.id}, ${ids.id}, ${rows.id}) <{${attributes}}> ${region} : ${type}`,
      into.shape,
      into.dtype,
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

  return {
    ...{ splat, unary, binary, compare, select, convert, reduce, dot, windowSums },
    ...{ reshape, broadcast, broadcastAlong, transpose, slice, concatenate, pad, reverse, iota },
    ...{ gather, gatherElements, scatter, sortDescending },
  };
}
