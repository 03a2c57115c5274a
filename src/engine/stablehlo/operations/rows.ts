/** @module Rows by index. */
import { DataType } from '../../data-type.js';
import { axisOf, type Operand, type Operation } from '../operation.js';
import type { Combination } from '../primitives/index.js';

/** TensorFlow's maximum of no rows. */
const LOWEST_FLOAT32 = -3.4028234663852886e38;

const startOf: Readonly<Record<'add' | 'maximum', (dtype: number) => number>> = {
  add: () => 0,
  maximum: (dtype) => (dtype === DataType.int32 ? -(2 ** 31) : LOWEST_FLOAT32),
};

/** As TensorFlow does, rows with a negative id are dropped. */
const segment =
  (how: Exclude<Combination, 'replace'>): Operation =>
  (p, [x, ids, count]) => {
    const shape = [count!.numbers()[0]!, ...x!.shape.slice(ids!.shape.length)];
    return p.scatter(how, p.splat(startOf[how](x!.dtype), shape, x!.dtype), ids!.use(), x!.use());
  };

const gather: Operation = (p, inputs, attributes) => {
  const [x, ids, axis] = inputs as [Operand, Operand, Operand];
  const batchAxes = axisOf(attributes.number('batch_dims'), ids.shape.length);
  return p.gather(x.use(), ids.use(), axisOf(axis.numbers()[0]!, x.shape.length), batchAxes);
};

export const ROWS: Readonly<Record<string, Operation>> = {
  GatherV2: gather,
  GatherNd: ({ gatherElements }, [x, ids]) => gatherElements(x!.use(), ids!.use()),
  UnsortedSegmentSum: segment('add'),
  UnsortedSegmentMax: segment('maximum'),
};
