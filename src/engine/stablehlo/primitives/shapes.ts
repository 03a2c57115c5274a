/** @module Shapes: broadcast by numpy's rules, moved, cut and joined. */
import { ByteifyError } from '../../../errors.js';
import { DataType } from '../../data-type.js';
import { type Body, typeOf, type Value } from '../body.js';
import { tensorType } from '../types.js';

const isSame = (a: readonly number[], b: readonly number[]) => a.length === b.length && a.every((n, i) => n === b[i]);

/** 0, 1, ... */
export const range = (length: number) => Array.from({ length }, (_, i) => i);

/** The shape that several are broadcast to. @throws ByteifyError when they do not fit */
export function jointShape(shapes: readonly (readonly number[])[]): number[] {
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

/** What changes shapes. */
export function shapePrimitives({ emit }: Body) {
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

  const transpose = (x: Value, permutation: readonly number[]): Value => {
    const shape = permutation.map((axis) => x.shape[axis]!);
    const type = `(${typeOf(x)}) -> ${tensorType(shape, x.dtype)}`;
    return emit(`stablehlo.transpose ${x.id}, dims = [${permutation.join(', ')}] : ${type}`, shape, x.dtype);
  };

  const slice = (x: Value, begin: readonly number[], size: readonly number[]): Value => {
    const ranges = begin.map((first, axis) => `${first}:${first + size[axis]!}`).join(', ');
    return emit(`stablehlo.slice ${x.id} [${ranges}] : (${typeOf(x)}) -> ${tensorType(size, x.dtype)}`, size, x.dtype);
  };

  const reverse = (x: Value, axes: readonly number[]): Value =>
    emit(`stablehlo.reverse ${x.id}, dims = [${axes.join(', ')}] : ${typeOf(x)}`, x.shape, x.dtype);

  /** Counts along an axis. */
  const iota = (shape: readonly number[], axis: number): Value =>
    emit(`stablehlo.iota dim = ${axis} : ${tensorType(shape, DataType.int32)}`, shape, DataType.int32);

  return { reshape, broadcast, broadcastAlong, together, transpose, slice, reverse, iota };
}

/** What puts tensors together. */
export function joiningPrimitives({ emit }: Body) {
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

  return { concatenate, pad };
}
