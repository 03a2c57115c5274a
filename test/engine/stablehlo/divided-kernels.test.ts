import { describe, expect, it } from 'vitest';
import { DataType } from '../../../src/engine/data-type.js';
import { createBody } from '../../../src/engine/stablehlo/body.js';
import { divideKernels } from '../../../src/engine/stablehlo/divided-kernels.js';
import { forwardKernel, queryGradientKernel } from '../../../src/engine/triton/attention-kernels.js';
import { callKernel } from '../../../src/engine/triton/kernel-call.js';

const shapeOf = (rows: number) =>
  ({ rows, heads: 2, kvHeads: 1, length: 100, headDim: 16, window: 50, type: 'bf16', packed: true }) as const;

/** The operands of a call for some rows. */
function operandsOf(rows: number) {
  const q = { id: '%q', shape: [rows, 2, 100, 16], dtype: DataType.bfloat16 };
  const k = { id: '%k', shape: [rows, 1, 100, 16], dtype: DataType.bfloat16 };
  const sums = { id: '%s', shape: [rows, 2, 100], dtype: DataType.float32 };
  const documents = { id: '%d', shape: [rows, 100], dtype: DataType.int32 };
  return { q, k, sums, documents };
}

/** The line of a call for 4 rows. */
function forwardLine(): string {
  const { q, k, sums, documents } = operandsOf(4);
  const body = createBody();
  callKernel(body, forwardKernel(shapeOf(4)), [q, k, { ...k, id: '%v' }, documents], [q, sums]);
  return body.lines[0]!;
}

describe('a kernel’s call over several devices', () => {
  it('runs on each device’s rows', () => {
    const [head, call, returned, tail] = divideKernels([forwardLine()], 2);
    expect(head).toBe(
      '    %0:2 = sdy.manual_computation(%q, %k, %v, %d) in_shardings=[<@mesh, [{"devices"}, {}, {}, {}]>, <@mesh, [{"devices"}, {}, {}, {}]>, <@mesh, [{"devices"}, {}, {}, {}]>, <@mesh, [{"devices"}, {}]>] out_shardings=[<@mesh, [{"devices"}, {}, {}, {}]>, <@mesh, [{"devices"}, {}, {}]>] manual_axes={"devices"} (%local0_0: tensor<2x2x100x16xbf16>, %local0_1: tensor<2x1x100x16xbf16>, %local0_2: tensor<2x1x100x16xbf16>, %local0_3: tensor<2x100xi32>) {',
    );
    // 2 rows of 2 heads, where there were 4 rows
    expect(call).toContain('grid_y = 4 : i32');
    expect(call).toContain(
      '} : (tensor<2x2x100x16xbf16>, tensor<2x1x100x16xbf16>, tensor<2x1x100x16xbf16>, tensor<2x100xi32>) -> (tensor<2x2x100x16xbf16>, tensor<2x2x100xf32>)',
    );
    expect(returned).toBe('      sdy.return %local0#0, %local0#1 : tensor<2x2x100x16xbf16>, tensor<2x2x100xf32>');
    expect(tail).toBe(
      '    } : (tensor<4x2x100x16xbf16>, tensor<4x1x100x16xbf16>, tensor<4x1x100x16xbf16>, tensor<4x100xi32>) -> (tensor<4x2x100x16xbf16>, tensor<4x2x100xf32>)',
    );
  });

  it('has the text of a call for these rows alone', () => {
    const { q, k, sums, documents } = operandsOf(2);
    const body = createBody();
    callKernel(body, queryGradientKernel(shapeOf(2)), [q, k, k, q, sums, sums, documents], [q]);
    const four = operandsOf(4);
    const whole = createBody();
    const given = [four.q, four.k, four.k, four.q, four.sums, four.sums, four.documents];
    callKernel(whole, queryGradientKernel(shapeOf(4)), given, [four.q]);
    const attributesOf = (line: string) => line.slice(line.indexOf('{'), line.lastIndexOf('} : ('));
    const [, call] = divideKernels(whole.lines, 2);
    expect(attributesOf(call!)).toBe(attributesOf(body.lines[0]!));
  });

  it('stays whole if the devices cannot have equally many rows', () => {
    expect(divideKernels([forwardLine()], 3)).toEqual([forwardLine()]);
  });

  it('leaves other lines as they are', () => {
    const line = '    %1 = stablehlo.custom_call @other(%0) : (tensor<4xf32>) -> tensor<4xf32>';
    expect(divideKernels([line], 2)).toEqual([line]);
  });
});
