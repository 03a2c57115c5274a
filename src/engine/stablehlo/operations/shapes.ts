/** @module Shapes: what is moved, repeated, cut and joined, and what is created. */
import { axisOf, type Operand, type Operation } from '../operation.js';

const inserted = (shape: readonly number[], axis: number, extent: number) => [
  ...shape.slice(0, axis),
  extent,
  ...shape.slice(axis),
];

/** A dimension of -1 takes what is left. */
function resolved(shape: readonly number[], size: number): number[] {
  const known = shape.filter((n) => n !== -1).reduce((product, n) => product * n, 1);
  return shape.map((n) => (n === -1 ? size / known : n));
}

const sizeOf = ({ shape }: Operand) => shape.reduce((product, n) => product * n, 1);

const concat: Operation = ({ concatenate }, inputs) => {
  const list = inputs.slice(0, -1);
  const axis = axisOf(inputs.at(-1)!.numbers()[0]!, list[0]!.shape.length);
  return concatenate(
    list.map((part) => part.use()),
    axis,
  );
};

const pack: Operation = (p, list, attributes) => {
  const axis = axisOf(attributes.number('axis'), list[0]!.shape.length + 1);
  const shape = inserted(list[0]!.shape, axis, 1);
  return p.concatenate(
    list.map((part) => p.reshape(part.use(), shape)),
    axis,
  );
};

const unpack: Operation = (p, [x], attributes) => {
  const axis = axisOf(attributes.number('axis'), x!.shape.length);
  const size = x!.shape.map((n, i) => (i === axis ? 1 : n));
  const rest = x!.shape.filter((_, i) => i !== axis);
  return Array.from({ length: x!.shape[axis]! }, (_, at) => {
    const begin = x!.shape.map((_, i) => (i === axis ? at : 0));
    return p.reshape(p.slice(x!.use(), begin, size), rest);
  });
};

/** Each axis is preceded by its copies, which are then merged into it. */
const tile: Operation = (p, [x, counts]) => {
  const copies = counts!.numbers();
  const wide = copies.flatMap((count, axis) => [count, x!.shape[axis]!]);
  const axes = x!.shape.map((_, axis) => 2 * axis + 1);
  return p.reshape(
    p.broadcastAlong(x!.use(), wide, axes),
    x!.shape.map((n, axis) => n * copies[axis]!),
  );
};

/** Pairs of what goes before and after each axis. */
const padded: Operation = ({ pad }, [x, pairs, fill]) => {
  const amounts = pairs!.numbers();
  const low = x!.shape.map((_, axis) => amounts[2 * axis]!);
  const high = x!.shape.map((_, axis) => amounts[2 * axis + 1]!);
  return pad(x!.use(), fill!.use(), low, high);
};

/** `axis` is always the last one. */
const oneHot: Operation = (p, [indices, depth, on, off]) => {
  const shape = [...indices!.shape, depth!.numbers()[0]!];
  const isHot = p.compare('EQ', p.reshape(indices!.use(), [...indices!.shape, 1]), p.iota(shape, shape.length - 1));
  return p.select(isHot, p.broadcast(on!.use(), shape), p.broadcast(off!.use(), shape));
};

export const SHAPES: Readonly<Record<string, Operation>> = {
  Reshape: ({ reshape }, [x, shape]) => reshape(x!.use(), resolved(shape!.numbers(), sizeOf(x!))),
  ExpandDims: ({ reshape }, [x, axis]) =>
    reshape(x!.use(), inserted(x!.shape, axisOf(axis!.numbers()[0]!, x!.shape.length + 1), 1)),
  Transpose: ({ transpose }, [x, permutation]) => transpose(x!.use(), permutation!.numbers()),
  BroadcastTo: ({ broadcast }, [x, shape]) => broadcast(x!.use(), shape!.numbers()),
  Tile: tile,
  ReverseV2: ({ reverse }, [x, axes]) =>
    reverse(
      x!.use(),
      axes!.numbers().map((axis) => axisOf(axis, x!.shape.length)),
    ),
  ConcatV2: concat,
  Pack: pack,
  Unpack: unpack,
  Slice: ({ slice }, [x, begin, size]) => slice(x!.use(), begin!.numbers(), size!.numbers()),
  PadV2: padded,
  Fill: ({ broadcast }, [shape, value]) => broadcast(value!.use(), shape!.numbers()),
  OneHot: oneHot,
};
