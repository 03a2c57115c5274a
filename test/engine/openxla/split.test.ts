import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DataType } from '../../../src/engine/data-type.js';
import { partBytes, partOf, partShape, putPart, splitOf, variableSplitOf } from '../../../src/engine/openxla/split.js';

const float32 = (...shape: number[]) => ({ shape, dtype: DataType.float32 });
const FOUR = { devices: 4, dividesVariables: true };

describe('splitOf', () => {
  it('divides the first axis that all devices can share', () => {
    expect(splitOf(FOUR, float32(64, 64))).toBe(0);
    expect(splitOf(FOUR, float32(33, 64, 64))).toBe(1);
  });

  it('leaves whole what is small, what has no such axis, and everything on one device', () => {
    expect(splitOf(FOUR, float32(8, 8))).toBeNull();
    expect(splitOf(FOUR, float32(33, 35))).toBeNull();
    expect(splitOf({ ...FOUR, devices: 1 }, float32(64, 64))).toBeNull();
  });

  it('divides variables only where the layout says so', () => {
    expect(variableSplitOf(FOUR, float32(64, 64))).toBe(0);
    expect(variableSplitOf({ ...FOUR, dividesVariables: false }, float32(64, 64))).toBeNull();
  });
});

describe('parts', () => {
  const contents = fc
    .record({
      devices: fc.integer({ min: 2, max: 4 }),
      shape: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }),
      axis: fc.nat(),
    })
    .map(({ devices, shape, axis }) => {
      const split = axis % shape.length;
      return { devices, split, shape: shape.map((extent, i) => (i === split ? extent * devices : extent)) };
    });

  it('have the elements of their range of the axis, and together make the whole', () => {
    fc.assert(
      fc.property(contents, ({ devices, split, shape }) => {
        const content = { shape, dtype: DataType.float32 };
        const count = shape.reduce((product, extent) => product * extent, 1);
        const whole = new Uint8Array(Float32Array.from({ length: count }, (_, i) => i).buffer);
        const again = new Uint8Array(whole.length);
        const inner = shape.slice(split + 1).reduce((product, extent) => product * extent, 1);
        for (let device = 0; device < devices; device++) {
          const part = partOf(whole, content, { split, devices, device });
          expect(part).toHaveLength(partBytes({ devices, dividesVariables: true }, content, split));
          for (const value of new Float32Array(part.slice().buffer)) {
            const index = Math.floor(value / inner) % shape[split]!;
            expect(Math.floor(index / (shape[split]! / devices))).toBe(device);
          }
          putPart(part, content, { split, devices, device }, again);
        }
        expect(again).toEqual(whole);
      }),
    );
  });

  it('have a device’s share of the axis as their shape', () => {
    expect(partShape([3, 8, 5], 1, 4)).toEqual([3, 2, 5]);
    expect(partShape([3, 8, 5], null, 4)).toEqual([3, 8, 5]);
  });
});
