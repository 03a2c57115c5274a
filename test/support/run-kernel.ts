import type { Arithmetic, Kernel, Tile, Tiles, TileType } from '../../src/engine/triton/tiles.js';

/** A tile with its elements in row-major order. */
interface Values extends Tile {
  readonly data: Float64Array;
}

/** An array in memory that a kernel reads or writes. */
export type Memory = Float32Array | Int32Array;

const bits = new DataView(new ArrayBuffer(4));

/** The nearest bfloat16, ties to even. */
export function toBfloat16(value: number): number {
  bits.setFloat32(0, value);
  const word = bits.getUint32(0);
  bits.setUint32(0, ((word + 0x7fff + ((word >>> 16) & 1)) & 0xffff0000) >>> 0);
  return bits.getFloat32(0);
}

const ROUND: Readonly<Record<TileType, (value: number) => number>> = {
  f32: Math.fround,
  bf16: toBfloat16,
  i32: (value) => value | 0,
  i1: (value) => value,
};

const ARITHMETIC: Readonly<Record<Arithmetic, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: (a, b) => a * b,
  divide: (a, b) => a / b,
  remainder: (a, b) => a % b,
  maximum: Math.max,
  minimum: Math.min,
};

const sizeOf = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

function made(type: TileType, shape: readonly number[], value: (i: number) => number): Values {
  const data = Float64Array.from({ length: sizeOf(shape) }, (_, i) => ROUND[type](value(i)));
  return { type, shape, data };
}

/** A kernel that would read or write outside an array, or mix shapes, is wrong. */
function ensure(isRight: boolean, what: string): void {
  if (!isRight) throw new Error(what);
}

function alike(a: Values, b: Values): void {
  ensure(
    a.type === b.type && a.shape.join() === b.shape.join(),
    `${a.type} [${a.shape}] does not go with ${b.type} [${b.shape}]`,
  );
}

function tilesOn(memory: readonly Memory[], { parameters }: Kernel, place: readonly [number, number]): Tiles<Values> {
  const each = (type: TileType, a: Values, b: Values, fn: (x: number, y: number) => number) => {
    alike(a, b);
    return made(type, a.shape, (i) => fn(a.data[i]!, b.data[i]!));
  };
  const map = (x: Values, fn: (value: number) => number) => made(x.type, x.shape, (i) => fn(x.data[i]!));
  const offsetOf = (parameter: number, offsets: Values, i: number) => {
    const offset = offsets.data[i]!;
    ensure(offset >= 0 && offset < memory[parameter]!.length, `parameter ${parameter} has no element ${offset}`);
    return offset;
  };

  return {
    program: (axis) => made('i32', [], () => place[axis]),
    constant: (value, type, shape = []) => made(type, shape, () => value),
    range: (size) => made('i32', [size], (i) => i),
    spread(x, shape, axis = 0) {
      if (x.shape.length === 0) return made(x.type, shape, () => x.data[0]!);
      ensure(x.shape[0] === shape[axis], `[${x.shape}] does not run along axis ${axis} of [${shape}]`);
      return made(x.type, shape, (i) => x.data[axis === 0 ? Math.floor(i / shape[1]!) : i % shape[1]!]!);
    },
    arithmetic: (kind, a, b) => each(a.type, a, b, ARITHMETIC[kind]),
    less: (a, b) => each('i1', a, b, (x, y) => Number(x < y)),
    equal: (a, b) => each('i1', a, b, (x, y) => Number(x === y)),
    and: (a, b) => each('i1', a, b, (x, y) => x * y),
    select(condition, yes, no) {
      alike(yes, no);
      ensure(condition.shape.join() === yes.shape.join(), 'a condition has another shape');
      return made(yes.type, yes.shape, (i) => (condition.data[i] === 1 ? yes : no).data[i]!);
    },
    cast: (x, type) => made(type, x.shape, (i) => x.data[i]!),
    exp2: (x) => map(x, (value) => 2 ** value),
    log2: (x) => map(x, Math.log2),
    transpose(x) {
      const [rows, columns] = x.shape as [number, number];
      return made(x.type, [columns, rows], (i) => x.data[(i % rows) * columns + Math.floor(i / rows)]!);
    },
    product(a, b, sum) {
      const [[rows, inner], [innerB, columns]] = [a.shape, b.shape] as [[number, number], [number, number]];
      ensure(a.type === b.type && sum.type === 'f32', 'a product has other types');
      ensure(inner === innerB && sum.shape.join() === [rows, columns].join(), 'a product has other shapes');
      return made('f32', sum.shape, (i) => {
        const [row, column] = [Math.floor(i / columns), i % columns];
        let total = sum.data[i]!;
        for (let k = 0; k < inner; k++) total += a.data[row * inner + k]! * b.data[k * columns + column]!;
        return total;
      });
    },
    reduce(kind, x) {
      const [rows, columns] = x.shape as [number, number];
      const rowOf = (row: number) => x.data.subarray(row * columns, (row + 1) * columns);
      return made(x.type, [rows], (row) =>
        kind === 'sum' ? rowOf(row).reduce((a, b) => a + b) : rowOf(row).reduce((a, b) => Math.max(a, b)),
      );
    },
    load(parameter, offsets, mask) {
      const at = (i: number) => (mask.data[i] === 1 ? memory[parameter]![offsetOf(parameter, offsets, i)]! : 0);
      return made(parameters[parameter]!, offsets.shape, at);
    },
    store(parameter, offsets, value, mask) {
      ensure(value.type === parameters[parameter], `parameter ${parameter} has another type`);
      value.data.forEach((element, i) => {
        if (mask.data[i] === 1) memory[parameter]![offsetOf(parameter, offsets, i)] = element;
      });
    },
    loop(from, to, step, carried, body) {
      let now = [...carried];
      for (let i = from.data[0]!; i < to.data[0]!; i += step) {
        const at = i;
        const next = body(
          made('i32', [], () => at),
          now,
        );
        for (const [k, tile] of next.entries()) alike(tile, now[k]!);
        now = [...next];
      }
      return now;
    },
  };
}

/** Runs each program of a kernel's grid on arrays. @throws Error when the kernel leaves an array, or combines tiles that do not fit */
export function runKernel(kernel: Kernel, memory: readonly Memory[]): void {
  ensure(memory.length === kernel.parameters.length, `${kernel.name} has ${kernel.parameters.length} parameters`);
  for (let y = 0; y < kernel.grid[1]; y++)
    for (let x = 0; x < kernel.grid[0]; x++) kernel.run(tilesOn(memory, kernel, [x, y]));
}
