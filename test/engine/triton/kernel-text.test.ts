import { describe, expect, it } from 'vitest';
import { DataType } from '../../../src/engine/data-type.js';
import { createBody } from '../../../src/engine/stablehlo/body.js';
import { forwardKernel } from '../../../src/engine/triton/attention-kernels.js';
import { callKernel } from '../../../src/engine/triton/kernel-call.js';
import { kernelText } from '../../../src/engine/triton/kernel-text.js';
import type { Kernel, Tile, Tiles } from '../../../src/engine/triton/tiles.js';

const kernel = (run: <T extends Tile>(tiles: Tiles<T>) => void): Kernel => ({
  ...{ name: 'k', parameters: ['bf16', 'f32', 'i32'], grid: [3, 2], warps: 4, stages: 2 },
  run,
});

/** The operations of a kernel, without those around them. */
const written = (run: <T extends Tile>(tiles: Tiles<T>) => void) => kernelText(kernel(run)).split('\n').slice(2, -4);

describe('the text of a kernel', () => {
  it('has pointers as parameters', () => {
    expect(kernelText(kernel(() => {})).split('\n')).toEqual([
      'module {',
      'tt.func public @k(%p0: !tt.ptr<bf16> {tt.divisibility = 16 : i32}, %p1: !tt.ptr<f32> {tt.divisibility = 16 : i32}, %p2: !tt.ptr<i32> {tt.divisibility = 16 : i32}) {',
      'tt.return',
      '}',
      '}',
      '',
    ]);
  });

  it('repeats a vector along either axis', () => {
    expect(
      written((t) => {
        t.spread(t.range(4), [4, 8], 0);
        t.spread(t.range(8), [4, 8], 1);
      }),
    ).toEqual([
      '%0 = tt.make_range {end = 4 : i32, start = 0 : i32} : tensor<4xi32>',
      '%1 = tt.expand_dims %0 {axis = 1 : i32} : tensor<4xi32> -> tensor<4x1xi32>',
      '%2 = tt.broadcast %1 : tensor<4x1xi32> -> tensor<4x8xi32>',
      '%3 = tt.make_range {end = 8 : i32, start = 0 : i32} : tensor<8xi32>',
      '%4 = tt.expand_dims %3 {axis = 0 : i32} : tensor<8xi32> -> tensor<1x8xi32>',
      '%5 = tt.broadcast %4 : tensor<1x8xi32> -> tensor<4x8xi32>',
    ]);
  });

  it('computes with the operations of the operands’ type', () => {
    expect(
      written((t) => {
        const [whole, real] = [t.constant(7, 'i32'), t.constant(0.5, 'f32', [16])];
        t.arithmetic('divide', whole, whole);
        t.arithmetic('divide', real, real);
        t.select(t.less(whole, whole), whole, whole);
        t.cast(t.exp2(real), 'bf16');
      }),
    ).toEqual([
      '%0 = arith.constant 7 : i32',
      '%1 = arith.constant dense<5.00000000e-1> : tensor<16xf32>',
      '%2 = arith.divsi %0, %0 : i32',
      '%3 = arith.divf %1, %1 : tensor<16xf32>',
      '%4 = arith.cmpi slt, %0, %0 : i32',
      '%5 = arith.select %4, %0, %0 : i1, i32',
      '%6 = math.exp2 %1 : tensor<16xf32>',
      '%7 = arith.truncf %6 : tensor<16xf32> to tensor<16xbf16>',
    ]);
  });

  it('reads and writes at offsets, where a mask is true', () => {
    expect(
      written((t) => {
        const [offsets, mask] = [t.range(16), t.constant(1, 'i1', [16])];
        t.store(1, offsets, t.cast(t.load(0, offsets, mask), 'f32'), mask);
      }).slice(2),
    ).toEqual([
      '%2 = tt.splat %p0 : !tt.ptr<bf16> -> tensor<16x!tt.ptr<bf16>>',
      '%3 = tt.addptr %2, %0 : tensor<16x!tt.ptr<bf16>>, tensor<16xi32>',
      '%4 = arith.constant dense<0.00000000e+0> : tensor<16xbf16>',
      '%5 = tt.load %3, %1, %4 : tensor<16x!tt.ptr<bf16>>',
      '%6 = arith.extf %5 : tensor<16xbf16> to tensor<16xf32>',
      '%7 = tt.splat %p1 : !tt.ptr<f32> -> tensor<16x!tt.ptr<f32>>',
      '%8 = tt.addptr %7, %0 : tensor<16x!tt.ptr<f32>>, tensor<16xi32>',
      'tt.store %8, %6, %1 : tensor<16x!tt.ptr<f32>>',
    ]);
  });

  it('carries tiles through a loop', () => {
    expect(
      written((t) => {
        const sum = t.constant(0, 'i32');
        const [total] = t.loop(t.constant(1, 'i32'), t.constant(9, 'i32'), 2, [sum], (i, [before]) => [
          t.arithmetic('add', before!, i),
        ]);
        t.arithmetic('multiply', total!, total!);
      }).slice(3),
    ).toEqual([
      '%3 = arith.constant 2 : i32',
      '%6:1 = scf.for %4 = %1 to %2 step %3 iter_args(%5 = %0) -> (i32) : i32 {',
      '%7 = arith.addi %5, %4 : i32',
      'scf.yield %7 : i32',
      '}',
      '%8 = arith.muli %6#0, %6#0 : i32',
    ]);
  });

  it('multiplies, transposes and reduces', () => {
    expect(
      written((t) => {
        const [a, sum] = [t.constant(1, 'bf16', [16, 32]), t.constant(0, 'f32', [16, 16])];
        t.reduce('maximum', t.product(a, t.transpose(a), sum));
      }).slice(2),
    ).toEqual([
      '%2 = tt.trans %0 {order = array<i32: 1, 0>} : tensor<16x32xbf16> -> tensor<32x16xbf16>',
      '%3 = tt.dot %0, %2, %1 : tensor<16x32xbf16> * tensor<32x16xbf16> -> tensor<16x16xf32>',
      '%7 = "tt.reduce"(%3) <{axis = 1 : i32}> ({ ^bb0(%4: f32, %5: f32): %6 = arith.maximumf %4, %5 : f32 tt.reduce.return %6 : f32 }) : (tensor<16x16xf32>) -> tensor<16xf32>',
    ]);
  });
});

it('a call names the grid, and says that arrays are row-major', () => {
  const body = createBody();
  const q = { id: '%q', shape: [2, 4, 300, 64], dtype: DataType.bfloat16 };
  const k = { ...q, id: '%k', shape: [2, 2, 300, 64] };
  const shape = {
    rows: 2,
    heads: 4,
    kvHeads: 2,
    length: 300,
    headDim: 64,
    window: 100,
    type: 'bf16',
    packed: false,
  } as const;
  const sums = { shape: [2, 4, 300], dtype: DataType.float32 };
  const results = callKernel(body, forwardKernel(shape), [q, k, { ...k, id: '%v' }], [q, sums]);
  expect(results.map(({ id }) => id)).toEqual(['%0#0', '%0#1']);
  const [line] = body.lines;
  expect(line).toContain('%0:2 = stablehlo.custom_call @__gpu$xla.gpu.triton(%q, %k, %v)');
  // 300 queries in blocks of 128, for 2 x 4 heads
  expect(line).toContain('grid_x = 3 : i32, grid_y = 8 : i32, grid_z = 1 : i32');
  expect(line).toContain(
    'result_layouts = [dense<[3, 2, 1, 0]> : tensor<4xindex>, dense<[2, 1, 0]> : tensor<3xindex>]',
  );
  expect(line).not.toContain('\n');
});
