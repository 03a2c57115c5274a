/** @module Over axes: sums, extremes, cumulative sums. */
import { DataType } from '../../data-type.js';
import type { Value } from '../body.js';
import { axisOf, type Operation } from '../operation.js';
import type { Primitives, Reduction } from '../primitives/index.js';

const reduction =
  (how: Reduction): Operation =>
  ({ reduce }, [x, axes], attributes) =>
    reduce(
      how,
      x!.use(),
      axes!.numbers().map((axis) => axisOf(axis, x!.shape.length)),
      attributes.flag('keep_dims'),
    );

const mean: Operation = (p, inputs, attributes) => {
  const [x, axes] = inputs as [(typeof inputs)[number], (typeof inputs)[number]];
  const count = axes.numbers().reduce((product, axis) => product * x.shape[axisOf(axis, x.shape.length)]!, 1);
  const sum = reduction('sum')(p, inputs, attributes) as Value;
  return p.binary('divide', sum, p.splat(count, [], sum.dtype));
};

/** The first index at which an extreme is found. */
function firstExtreme(p: Primitives, x: Value, axis: number, how: 'max' | 'min'): Value {
  const isExtreme = p.compare('EQ', x, p.reduce(how, x, [axis], true));
  const never = p.splat(x.shape[axis]!, x.shape, DataType.int32);
  return p.reduce('min', p.select(isExtreme, p.iota(x.shape, axis), never), [axis]);
}

const argument =
  (how: 'max' | 'min'): Operation =>
  (p, [x, axis]) =>
    firstExtreme(p, x!.use(), axisOf(axis!.numbers()[0]!, x!.shape.length), how);

/** XLA computes sums over windows that grow from one end in a logarithmic number of steps. */
const cumsum: Operation = (p, [x, axisInput], attributes) => {
  const axis = axisOf(axisInput!.numbers()[0]!, x!.shape.length);
  const length = x!.shape[axis]!;
  if (length === 0) return x!.use();
  const [exclusive, reverse] = [attributes.flag('exclusive'), attributes.flag('reverse')];
  // An exclusive sum has one more window at its beginning, and leaves out the last one.
  const lead = exclusive ? length : length - 1;
  const sums = p.windowSums(x!.use(), axis, length, reverse ? 0 : lead, reverse ? lead : 0);
  const begin = x!.shape.map((_, i) => (i === axis && exclusive && reverse ? 1 : 0));
  return exclusive ? p.slice(sums, begin, x!.shape) : sums;
};

export const REDUCTIONS: Readonly<Record<string, Operation>> = {
  Sum: reduction('sum'),
  Mean: mean,
  Max: reduction('max'),
  Min: reduction('min'),
  Prod: reduction('product'),
  All: reduction('all'),
  Any: reduction('any'),
  ArgMax: argument('max'),
  ArgMin: argument('min'),
  Cumsum: cumsum,
  /** Half the sum of squares. */
  L2Loss: (p, [x]) => {
    const squares = p.binary('multiply', x!.use(), x!.use());
    const sum = p.reduce(
      'sum',
      squares,
      x!.shape.map((_, axis) => axis),
    );
    return p.binary('multiply', sum, p.splat(0.5, [], sum.dtype));
  },
};
