/** @module Element by element. */
import { DataType } from '../../data-type.js';
import type { Value } from '../body.js';
import type { Operation } from '../operation.js';
import type { Comparison, Primitives } from '../primitives/index.js';
import { isInteger } from '../types.js';

const unary =
  (op: string): Operation =>
  ({ unary: apply }, [x]) =>
    apply(op, x!.use());

const binary =
  (op: string): Operation =>
  ({ binary: apply }, [a, b]) =>
    apply(op, a!.use(), b!.use());

const comparison =
  (how: Comparison): Operation =>
  ({ compare }, [a, b]) =>
    compare(how, a!.use(), b!.use());

/** A remainder with the sign of the divisor. */
function floorMod(p: Primitives, a: Value, b: Value): Value {
  const rest = p.binary('remainder', a, b);
  const zero = p.splat(0, [], a.dtype);
  const isOff = p.binary(
    'and',
    p.compare('NE', rest, zero),
    p.compare('NE', p.compare('LT', rest, zero), p.compare('LT', b, zero)),
  );
  return p.select(isOff, p.binary('add', rest, b), rest);
}

/** Quotients rounded down. Integers are divided exactly. */
function floorDiv(p: Primitives, a: Value, b: Value): Value {
  if (!isInteger(a.dtype)) return p.unary('stablehlo.floor', p.binary('divide', a, b));
  return p.binary('divide', p.binary('subtract', a, floorMod(p, a, b)), b);
}

/** log(1 + exp(x)) without overflow. */
function softplus(p: Primitives, x: Value): Value {
  const decay = p.unary('stablehlo.exponential', p.unary('stablehlo.negate', p.unary('stablehlo.abs', x)));
  return p.binary('add', p.binary('maximum', x, p.splat(0, [], x.dtype)), p.unary('stablehlo.log_plus_one', decay));
}

/** TensorFlow's casts to a boolean ask whether a number is not zero, as StableHLO's do. Casts of floats to integers round towards zero. */
const cast: Operation = ({ convert }, [x], attributes) => convert(x!.use(), attributes.number('DstT'));

const filled =
  (value: number): Operation =>
  ({ splat }, [x]) =>
    splat(value, x!.shape, x!.dtype);

export const ELEMENTWISE: Readonly<Record<string, Operation>> = {
  Abs: unary('stablehlo.abs'),
  Ceil: unary('stablehlo.ceil'),
  Cos: unary('stablehlo.cosine'),
  Erf: unary('chlo.erf'),
  Exp: unary('stablehlo.exponential'),
  Expm1: unary('stablehlo.exponential_minus_one'),
  Floor: unary('stablehlo.floor'),
  Log: unary('stablehlo.log'),
  Log1p: unary('stablehlo.log_plus_one'),
  LogicalNot: unary('stablehlo.not'),
  Neg: unary('stablehlo.negate'),
  Round: unary('stablehlo.round_nearest_even'),
  Rsqrt: unary('stablehlo.rsqrt'),
  Sigmoid: unary('stablehlo.logistic'),
  Sign: unary('stablehlo.sign'),
  Sin: unary('stablehlo.sine'),
  Sqrt: unary('stablehlo.sqrt'),
  Tanh: unary('stablehlo.tanh'),
  IsFinite: ({ unary: apply }, [x]) => apply('stablehlo.is_finite', x!.use(), DataType.bool),
  IsNan: ({ compare }, [x]) => compare('NE', x!.use(), x!.use()),
  OnesLike: filled(1),
  ZerosLike: filled(0),
  Reciprocal: (p, [x]) => p.binary('divide', p.splat(1, [], x!.dtype), x!.use()),
  Relu: (p, [x]) => p.binary('maximum', x!.use(), p.splat(0, [], x!.dtype)),
  Softplus: (p, [x]) => softplus(p, x!.use()),
  Square: ({ binary: apply }, [x]) => apply('multiply', x!.use(), x!.use()),
  Cast: cast,

  AddV2: binary('add'),
  Sub: binary('subtract'),
  Mul: binary('multiply'),
  RealDiv: binary('divide'),
  FloorDiv: (p, [a, b]) => floorDiv(p, a!.use(), b!.use()),
  FloorMod: (p, [a, b]) => floorMod(p, a!.use(), b!.use()),
  Pow: binary('power'),
  Maximum: binary('maximum'),
  Minimum: binary('minimum'),
  LogicalAnd: binary('and'),
  LogicalOr: binary('or'),
  SquaredDifference: (p, [a, b]) => {
    const difference = p.binary('subtract', a!.use(), b!.use());
    return p.binary('multiply', difference, difference);
  },
  Equal: comparison('EQ'),
  NotEqual: comparison('NE'),
  Less: comparison('LT'),
  LessEqual: comparison('LE'),
  Greater: comparison('GT'),
  GreaterEqual: comparison('GE'),
  SelectV2: ({ select }, [condition, a, b]) => select(condition!.use(), a!.use(), b!.use()),
  AddN: (p, list) => list.map((operand) => operand.use()).reduce((sum, x) => p.binary('add', sum, x)),
};
