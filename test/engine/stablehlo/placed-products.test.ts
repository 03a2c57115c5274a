import { describe, expect, it } from 'vitest';
import { placeProducts } from '../../../src/engine/stablehlo/placed-products.js';

const ROWS = '"devices"';
/** Where the operands and the result of a product lie: `w` whole, `r` divided by rows, `-` wherever the partitioner puts them. */
function placesOf(lines: readonly string[]): string {
  const constraints = new Map<string, string>();
  for (const line of lines) {
    const [, to, from, how] = /(%\w+) = sdy\.sharding_constraint (%[\w#]+) <@mesh, (.*)> :/.exec(line) ?? [];
    if (to === undefined) continue;
    const place = how!.startsWith(`[{${ROWS}}`) ? 'r' : 'w';
    constraints.set(to, place).set(`result ${from}`, place);
  }
  const [, result, x, y] = lines
    .map((line) => /(%\w+) = stablehlo\.dot_general (%[\w#]+), (%[\w#]+),/.exec(line))
    .find(Boolean)!;
  return [x, y].map((id) => constraints.get(id!) ?? '-').join('') + (constraints.get(`result ${result}`) ?? '-');
}

const dot = (x: string, y: string, summed: string, types: readonly [string, string, string]) =>
  `    %9 = stablehlo.dot_general ${x}, ${y}, contracting_dims = ${summed} : (tensor<${types[0]}>, tensor<${types[1]}>) -> tensor<${types[2]}>`;
const FORWARD = dot('%a0', '%a1', '[1] x [0]', ['64x8xf32', '8x16xf32', '64x16xf32']);
const GRADIENT = dot('%a0', '%2', '[0] x [0]', ['64x8xf32', '64x16xf32', '8x16xf32']);

const nameOf = (called: string, weights: readonly number[]) => [called, ...weights].join('_');
const placed = (lines: readonly string[], weights: readonly string[] = ['%a1'], devices = 4) =>
  placeProducts(lines, new Set(weights), { devices, nameOf });

describe('products in a divided program', () => {
  it('collect weights, and leave rows where they are', () => {
    expect(placesOf(placed([FORWARD]))).toBe('rw-');
  });

  it('are summed over the devices where they sum over rows', () => {
    expect(placesOf(placed([GRADIENT]))).toBe('rrw');
  });

  it('are left alone without weights, where devices cannot share the rows, and for more than matrices', () => {
    expect(placesOf(placed([FORWARD], []))).toBe('---');
    expect(placesOf(placed([GRADIENT], [], 7))).toBe('---');
    expect(placesOf(placed([FORWARD], ['%a1'], 7))).toBe('-w-');
    const batched = dot('%a0', '%a1', '[2] x [1]', ['4x64x8xf32', '4x8x16xf32', '4x64x16xf32']);
    expect(placed([batched])).toEqual([batched]);
  });

  it('know a weight again that was converted, delayed and given to another function', () => {
    const lines = [
      '    %0 = stablehlo.convert %a1 : (tensor<8x16xf32>) -> tensor<8x16xbf16>',
      '    %1:2 = stablehlo.optimization_barrier %a0, %0 : tensor<64x8xbf16>, tensor<8x16xbf16>',
      '    %2 = stablehlo.transpose %1#1, dims = [1, 0] : (tensor<8x16xbf16>) -> tensor<16x8xbf16>',
      '    %3 = func.call @product(%a0, %2) : (tensor<64x8xbf16>, tensor<16x8xbf16>) -> tensor<64x16xbf16>',
      '    %4 = stablehlo.add %1#1, %1#1 : tensor<8x16xbf16>',
      '    %5 = func.call @product(%a0, %4) : (tensor<64x8xbf16>, tensor<16x8xbf16>) -> tensor<64x16xbf16>',
    ];
    const calls = placed(lines).filter((line) => line.includes('func.call'));
    expect(calls.map((line) => /@(\w+)/.exec(line)![1])).toEqual(['product_1', 'product']);
  });
});
