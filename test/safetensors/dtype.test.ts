import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromFloat32, toFloat32 } from '../../src/safetensors/index.js';

const ALL = Uint16Array.from({ length: 65_536 }, (_, bits) => bits);
const allBytes = new Uint8Array(ALL.buffer);
const bits = (bytes: Uint8Array) => new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);

describe.each(['BF16', 'F16'] as const)('%s', (dtype) => {
  it('keeps every one of its 65,536 patterns through float32, NaNs as NaNs', () => {
    const values = toFloat32(allBytes, dtype);
    const back = bits(fromFloat32(values, dtype));
    for (let i = 0; i < ALL.length; i++) {
      if (Number.isNaN(values[i]))
        expect(Number.isNaN(toFloat32(new Uint8Array(back.buffer, back.byteOffset + 2 * i, 2).slice(), dtype)[0])).toBe(
          true,
        );
      else if (back[i] !== i) throw new Error(`pattern ${i.toString(16)} came back as ${back[i]?.toString(16)}`);
    }
  });

  it('rounds to the nearest of its values, ties to the even pattern', () => {
    const values = toFloat32(allBytes, dtype);
    const finite = [...ALL].filter((i) => i < 0x8000 && Number.isFinite(values[i]));
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: finite.length - 2 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (i, share) => {
          const [low, high] = [values[finite[i]!]!, values[finite[i + 1]!]!];
          const value = Math.fround(low + (high - low) * share);
          const [down, up] = [value - low, high - value];
          const wanted =
            down < up ? finite[i]! : up < down ? finite[i + 1]! : finite[i]! % 2 === 0 ? finite[i]! : finite[i + 1]!;
          expect(bits(fromFloat32(Float32Array.of(value), dtype))[0]).toBe(wanted);
          expect(bits(fromFloat32(Float32Array.of(-value), dtype))[0]).toBe(wanted | 0x8000);
        },
      ),
    );
  });
});

it('overflow becomes infinity and zeros keep their sign', () => {
  expect([...toFloat32(fromFloat32(Float32Array.of(65_519, 65_520, -1e30), 'F16'), 'F16')]).toEqual([
    65_504,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
  ]);
  expect(Object.is(toFloat32(fromFloat32(Float32Array.of(-0), 'BF16'), 'BF16')[0], -0)).toBe(true);
});

it('reads bytes that do not lie on the element’s boundary', () => {
  const shifted = new Uint8Array(9);
  shifted.set(new Uint8Array(Float32Array.of(1.5, -2).buffer), 1);
  expect([...toFloat32(shifted.subarray(1), 'F32')]).toEqual([1.5, -2]);
});

it('types without floats are refused', () => {
  expect(() => toFloat32(new Uint8Array(8), 'I64')).toThrow(/I64/);
});
