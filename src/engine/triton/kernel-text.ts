/** @module Writes kernels as Triton's intermediate representation, in the text form of MLIR. */
import type { Arithmetic, Kernel, Tile, Tiles, TileType } from './tiles.js';

interface Value extends Tile {
  readonly id: string;
}

const FLOAT_ARITHMETIC: Readonly<Record<Arithmetic, string>> = {
  add: 'addf',
  subtract: 'subf',
  multiply: 'mulf',
  divide: 'divf',
  remainder: 'remf',
  maximum: 'maximumf',
  minimum: 'minimumf',
};

const INTEGER_ARITHMETIC: Readonly<Record<Arithmetic, string>> = {
  add: 'addi',
  subtract: 'subi',
  multiply: 'muli',
  divide: 'divsi',
  remainder: 'remsi',
  maximum: 'maxsi',
  minimum: 'minsi',
};

/** Three products of TF32, whose parts have the digits of float32. One alone has 10 bits. */
const FLOAT_PRODUCT = ', inputPrecision = tf32x3';

const REDUCTION = { sum: 'addf', maximum: 'maximumf' } as const;
const PROGRAM_AXIS = ['x', 'y'] as const;

const typeText = (shape: readonly number[], element: string): string =>
  shape.length === 0 ? element : `tensor<${[...shape, element].join('x')}>`;
const typeOf = ({ shape, type }: Tile): string => typeText(shape, type);
const pointerTo = (type: TileType): string => `!tt.ptr<${type}>`;

/** MLIR tells floats by their decimal point; the type's digits are enough for every f32. */
function literal(value: number, type: TileType): string {
  if (type === 'i1') return value === 0 ? 'false' : 'true';
  return type === 'i32' ? `${value}` : value.toExponential(8);
}

/** Writes operations, one per line. */
function createWriter({ parameters }: Kernel) {
  const lines: string[] = [];
  let count = 0;
  const next = () => `%${count++}`;

  function emit(text: string, type: TileType, shape: readonly number[]): Value {
    const id = next();
    lines.push(`${id} = ${text}`);
    return { id, type, shape };
  }

  /** The addresses of a parameter's elements, and the type of these addresses. */
  function addresses(parameter: number, offsets: Value): { readonly id: string; readonly type: string } {
    const pointer = pointerTo(parameters[parameter]!);
    const type = typeText(offsets.shape, pointer);
    const [first, all] = [next(), next()];
    lines.push(`${first} = tt.splat %p${parameter} : ${pointer} -> ${type}`);
    lines.push(`${all} = tt.addptr ${first}, ${offsets.id} : ${type}, ${typeOf(offsets)}`);
    return { id: all, type };
  }

  const constant = (value: number, type: TileType, shape: readonly number[] = []): Value => {
    const written = shape.length === 0 ? literal(value, type) : `dense<${literal(value, type)}>`;
    const isBare = shape.length === 0 && type === 'i1';
    return emit(`arith.constant ${written}${isBare ? '' : ` : ${typeText(shape, type)}`}`, type, shape);
  };
  const unary = (name: string, x: Value) => emit(`${name} ${x.id} : ${typeOf(x)}`, x.type, x.shape);
  const compare = (predicate: string, a: Value, b: Value) =>
    emit(`arith.cmpi ${predicate}, ${a.id}, ${b.id} : ${typeOf(a)}`, 'i1', a.shape);

  function spread(x: Value, shape: readonly number[], axis: 0 | 1 = 0): Value {
    const to = typeText(shape, x.type);
    if (x.shape.length === 0) return emit(`tt.splat ${x.id} : ${x.type} -> ${to}`, x.type, shape);
    const size = x.shape[0]!;
    const thin = axis === 0 ? [size, 1] : [1, size];
    const expanded = emit(
      `tt.expand_dims ${x.id} {axis = ${1 - axis} : i32} : ${typeOf(x)} -> ${typeText(thin, x.type)}`,
      ...([x.type, thin] as const),
    );
    return emit(`tt.broadcast ${expanded.id} : ${typeOf(expanded)} -> ${to}`, x.type, shape);
  }

  const tiles: Tiles<Value> = {
    program: (axis) => emit(`tt.get_program_id ${PROGRAM_AXIS[axis]} : i32`, 'i32', []),
    constant,
    range: (size) => emit(`tt.make_range {end = ${size} : i32, start = 0 : i32} : tensor<${size}xi32>`, 'i32', [size]),
    spread,
    arithmetic(kind, a, b) {
      const name = (a.type === 'i32' ? INTEGER_ARITHMETIC : FLOAT_ARITHMETIC)[kind];
      return emit(`arith.${name} ${a.id}, ${b.id} : ${typeOf(a)}`, a.type, a.shape);
    },
    less: (a, b) => compare('slt', a, b),
    equal: (a, b) => compare('eq', a, b),
    and: (a, b) => emit(`arith.andi ${a.id}, ${b.id} : ${typeOf(a)}`, 'i1', a.shape),
    select: (condition, yes, no) =>
      emit(
        `arith.select ${condition.id}, ${yes.id}, ${no.id} : ${typeOf(condition)}, ${typeOf(yes)}`,
        yes.type,
        yes.shape,
      ),
    cast: (x, type) =>
      x.type === type
        ? x
        : emit(
            `arith.${type === 'bf16' ? 'truncf' : 'extf'} ${x.id} : ${typeOf(x)} to ${typeText(x.shape, type)}`,
            type,
            x.shape,
          ),
    exp2: (x) => unary('math.exp2', x),
    log2: (x) => unary('math.log2', x),
    transpose(x) {
      const shape = [x.shape[1]!, x.shape[0]!];
      const to = typeText(shape, x.type);
      return emit(`tt.trans ${x.id} {order = array<i32: 1, 0>} : ${typeOf(x)} -> ${to}`, x.type, shape);
    },
    product(a, b, sum) {
      const precision = a.type === 'f32' ? FLOAT_PRODUCT : '';
      const types = `${typeOf(a)} * ${typeOf(b)} -> ${typeOf(sum)}`;
      return emit(`tt.dot ${a.id}, ${b.id}, ${sum.id}${precision} : ${types}`, 'f32', sum.shape);
    },
    reduce(kind, x) {
      const [a, b, result] = [next(), next(), next()];
      const shape = [x.shape[0]!];
      const body = `^bb0(${a}: f32, ${b}: f32): ${result} = arith.${REDUCTION[kind]} ${a}, ${b} : f32 tt.reduce.return ${result} : f32`;
      const types = `(${typeOf(x)}) -> ${typeText(shape, 'f32')}`;
      return emit(`"tt.reduce"(${x.id}) <{axis = 1 : i32}> ({ ${body} }) : ${types}`, 'f32', shape);
    },
    load(parameter, offsets, mask) {
      const type = parameters[parameter]!;
      const from = addresses(parameter, offsets);
      const other = constant(0, type, offsets.shape);
      return emit(`tt.load ${from.id}, ${mask.id}, ${other.id} : ${from.type}`, type, offsets.shape);
    },
    store(parameter, offsets, value, mask) {
      const to = addresses(parameter, offsets);
      lines.push(`tt.store ${to.id}, ${value.id}, ${mask.id} : ${to.type}`);
    },
    loop(from, to, step, carried, body) {
      const [by, i] = [constant(step, 'i32'), { id: next(), type: 'i32', shape: [] } as const];
      const inside = carried.map(({ type, shape }): Value => ({ id: next(), type, shape }));
      const result = next();
      const types = carried.map(typeOf).join(', ');
      const initial = inside.map(({ id }, k) => `${id} = ${carried[k]!.id}`).join(', ');
      lines.push(
        `${result}:${carried.length} = scf.for ${i.id} = ${from.id} to ${to.id} step ${by.id} iter_args(${initial}) -> (${types}) : i32 {`,
      );
      const yielded = body(i, inside);
      lines.push(`scf.yield ${yielded.map(({ id }) => id).join(', ')} : ${types}`, '}');
      return carried.map(({ type, shape }, k) => ({ id: `${result}#${k}`, type, shape }));
    },
  };
  return { tiles, lines };
}

/** A module with the kernel as its function. Arrays begin at multiples of 16 bytes, as all buffers of XLA do. */
export function kernelText(kernel: Kernel): string {
  const { tiles, lines } = createWriter(kernel);
  kernel.run(tiles);
  const given = kernel.parameters.map((type, i) => `%p${i}: ${pointerTo(type)} {tt.divisibility = 16 : i32}`);
  return [
    'module {',
    `tt.func public @${kernel.name}(${given.join(', ')}) {`,
    ...lines,
    'tt.return',
    '}',
    '}',
    '',
  ].join('\n');
}
