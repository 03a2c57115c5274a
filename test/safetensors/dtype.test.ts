import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Dtype, dtypeBytes, fromFloat32, isPlainFloat, toFloat32 } from '../../src/safetensors/index.js';

const ALL = Uint16Array.from({ length: 65_536 }, (_, bits) => bits);
const allBytes = new Uint8Array(ALL.buffer);
const bits = (bytes: Uint8Array) => new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);

const asWord = (value: number) => new Uint32Array(Float32Array.of(value).buffer)[0]!;

describe.each(['BF16', 'F16'] as const)('%s', (dtype) => {
  it('keeps each of its 65,536 patterns through float32, and NaNs as NaNs', () => {
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

  it('rounds every halfway value to the even pattern, and its neighbours to the nearer one', () => {
    const values = toFloat32(allBytes, dtype);
    const below = (value: number) => toFloat32(new Uint8Array(Uint32Array.of(asWord(value) - 1).buffer), 'F32')[0]!;
    const above = (value: number) => toFloat32(new Uint8Array(Uint32Array.of(asWord(value) + 1).buffer), 'F32')[0]!;
    for (let i = 0; Number.isFinite(values[i + 1]); i++) {
      const half = (values[i]! + values[i + 1]!) / 2;
      const found = bits(fromFloat32(Float32Array.of(half, below(half), above(half), -half), dtype));
      const even = i + (i % 2);
      if (found[0] !== even || found[1] !== i || found[2] !== i + 1 || found[3] !== (even | 0x8000))
        throw new Error(`around ${half}: ${found}`);
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

it('bytes that are not aligned to the element size are read', () => {
  const shifted = new Uint8Array(9);
  shifted.set(new Uint8Array(Float32Array.of(1.5, -2).buffer), 1);
  expect([...toFloat32(shifted.subarray(1), 'F32')]).toEqual([1.5, -2]);
});

it('a Buffer that is not aligned to the element size is read', () => {
  const pool = Buffer.alloc(64);
  const shifted = pool.subarray(1, 9);
  shifted.writeDoubleLE(-1.25);
  expect([...toFloat32(shifted, 'F64')]).toEqual([-1.25]);
});

it('doubles are rounded to the nearest float', () => {
  const doubles = Float64Array.of(0.1, 1e300, -0, 2 ** -149);
  expect([...toFloat32(new Uint8Array(doubles.buffer), 'F64')]).toEqual([...doubles].map(Math.fround));
});

it('bytes that are not whole elements are refused', () => {
  expect(() => toFloat32(new Uint8Array(7), 'F32')).toThrow(/7 bytes are not whole elements/);
});

it('every type has a size', () => {
  const sizes = {
    F64: 8,
    F32: 4,
    F16: 2,
    BF16: 2,
    I64: 8,
    I32: 4,
    I16: 2,
    I8: 1,
    U64: 8,
    U32: 4,
    U16: 2,
    U8: 1,
    BOOL: 1,
  };
  for (const [dtype, size] of Object.entries(sizes)) expect(dtypeBytes(dtype as Dtype)).toBe(size);
});

it('types without floats are refused', () => {
  expect(() => toFloat32(new Uint8Array(8), 'I64')).toThrow(/I64/);
});

it('isPlainFloat says whether a type’s tensors contain plain numbers', () => {
  const types: Dtype[] = ['F64', 'F32', 'F16', 'BF16', 'F8_E4M3', 'F8_E8M0', 'F4', 'I8', 'C64', 'BOOL'];
  expect(types.filter(isPlainFloat)).toEqual(['F64', 'F32', 'F16', 'BF16']);
  for (const dtype of types.slice(4)) expect(() => toFloat32(new Uint8Array(8), dtype)).toThrow(dtype);
});

it('elements smaller than a byte have no size in bytes', () => {
  expect(dtypeBytes('C64')).toBe(8);
  expect(() => dtypeBytes('F4')).toThrow(/Elements of type F4 are not whole bytes/);
});
