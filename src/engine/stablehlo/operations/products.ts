/** @module Matrix products, softmax and the loss. */
import type { Value } from '../body.js';
import type { Operation } from '../operation.js';
import type { Primitives } from '../primitives/index.js';

/** The parts of a stable softmax over the last axis. */
function softmaxParts(p: Primitives, x: Value) {
  const axes = [x.shape.length - 1];
  const shifted = p.binary('subtract', x, p.reduce('max', x, axes, true));
  const exponentials = p.unary('stablehlo.exponential', shifted);
  return { shifted, exponentials, sum: p.reduce('sum', exponentials, axes, true) };
}

const crossEntropy: Operation = (p, [logits, labels]) => {
  const x = logits!.use();
  const { shifted, exponentials, sum } = softmaxParts(p, x);
  const isLabel = p.compare('EQ', p.iota(x.shape, 1), p.reshape(labels!.use(), [x.shape[0]!, 1]));
  const hit = p.convert(isLabel, x.dtype);
  const zero = p.splat(0, [], x.dtype);
  const picked = p.reduce('sum', p.select(isLabel, shifted, zero), [1]);
  const loss = p.binary('subtract', p.unary('stablehlo.log', p.reshape(sum, labels!.shape)), picked);
  return [loss, p.binary('subtract', p.binary('divide', exponentials, sum), hit)];
};

export const PRODUCTS: Readonly<Record<string, Operation>> = {
  MatMul: ({ dot }, [a, b], { flag }) => dot(a!.use(), b!.use(), flag('transpose_a'), flag('transpose_b')),
  BatchMatMulV2: ({ dot }, [a, b], { flag }) => dot(a!.use(), b!.use(), flag('adj_x'), flag('adj_y')),
  Softmax: (p, [x]) => {
    const { exponentials, sum } = softmaxParts(p, x!.use());
    return p.binary('divide', exponentials, sum);
  },
  LogSoftmax: (p, [x]) => {
    const { shifted, sum } = softmaxParts(p, x!.use());
    return p.binary('subtract', shifted, p.unary('stablehlo.log', sum));
  },
  /** The losses, and their gradients. */
  SparseSoftmaxCrossEntropyWithLogits: crossEntropy,
  TopKV2: (p, [x, count]) => {
    const size = [...x!.shape.slice(0, -1), count!.numbers()[0]!];
    const begin = size.map(() => 0);
    return p.sortDescending(x!.use()).map((sorted) => p.slice(sorted, begin, size));
  },
};
