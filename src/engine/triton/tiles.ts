/**
 * @module What a GPU kernel is written in: operations on tiles, which are small dense arrays in a GPU's registers, with Triton's meaning
 * (https://triton-lang.org). A kernel is one function over this interface. `kernel-text.ts` writes it as Triton's intermediate
 * representation, from which XLA compiles it; tests run the same function on arrays.
 */

export type TileType = 'f32' | 'bf16' | 'i32' | 'i1';

export interface Tile {
  /** Powers of two; a number has none. */
  readonly shape: readonly number[];
  readonly type: TileType;
}

export type Arithmetic = 'add' | 'subtract' | 'multiply' | 'divide' | 'remainder' | 'maximum' | 'minimum';

/** Operations of one program of the grid. Operands of a binary operation have the same shape and type. */
export interface Tiles<T extends Tile> {
  /** The program's place along an axis of the grid: an i32 number. */
  program(axis: 0 | 1): T;
  constant(value: number, type: TileType, shape?: readonly number[]): T;
  /** 0, 1, ..., size - 1: i32 [size]. */
  range(size: number): T;
  /** Repeats a number, or adds an axis to a vector: [n] -> [n, columns] with `axis` 0, -> [rows, n] with `axis` 1, the one that it runs along. */
  spread(x: T, shape: readonly number[], axis?: 0 | 1): T;
  /** Divisions of i32 round to zero. */
  arithmetic(kind: Arithmetic, a: T, b: T): T;
  /** Whether a < b, of i32 -> i1. */
  less(a: T, b: T): T;
  /** Whether a = b, of i32 -> i1. */
  equal(a: T, b: T): T;
  and(a: T, b: T): T;
  select(condition: T, yes: T, no: T): T;
  /** Between f32 and bf16. */
  cast(x: T, type: 'f32' | 'bf16'): T;
  /** 2^x */
  exp2(x: T): T;
  log2(x: T): T;
  /** [a, b] -> [b, a] */
  transpose(x: T): T;
  /** sum + a b: [m, k] and [k, n], both bf16 or both f32, and f32 [m, n] -> f32 [m, n]. Of f32 it keeps nearly all digits. */
  product(a: T, b: T, sum: T): T;
  /** Over the columns of an f32 tile: [m, n] -> [m]. */
  reduce(kind: 'sum' | 'maximum', x: T): T;
  /** The elements of a parameter at offsets; 0 where the mask is false, and nothing is read there. */
  load(parameter: number, offsets: T, mask: T): T;
  store(parameter: number, offsets: T, value: T, mask: T): void;
  /** For i = from, from + step, ... below `to`: replaces the carried tiles by what `body` returns. */
  loop(from: T, to: T, step: number, carried: readonly T[], body: (i: T, carried: readonly T[]) => readonly T[]): T[];
}

/** A kernel: a function that each program of a grid runs. Its parameters are arrays in the GPU's memory, results included. */
export interface Kernel {
  readonly name: string;
  /** The type of each parameter's elements. */
  readonly parameters: readonly Exclude<TileType, 'i1'>[];
  /** Programs along each axis. */
  readonly grid: readonly [number, number];
  /** Groups of 32 threads that run a program. */
  readonly warps: number;
  /** Iterations of a loop whose loads overlap. */
  readonly stages: number;
  run<T extends Tile>(tiles: Tiles<T>): void;
}
