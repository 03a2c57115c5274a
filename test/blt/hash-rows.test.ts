import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeBytes, type HashConfig, hashRows } from '../../src/blt/index.js';

const PRIMES = [1000000007n, 5915587277n, 1500450271n, 3267000013n, 5754853343n, 4093082899n, 9576890767n];
const RELEASED_VOCAB = 500_002;
const MY_NAME_IS = encodeBytes(new TextEncoder().encode('my name is'));

/** The literal definition, in 64-bit arithmetic. */
function reference(ids: Int32Array, { sizes, functions, vocab }: HashConfig): number[] {
  const rows: number[] = [];
  for (let p = 0; p < ids.length; p++) {
    for (let f = 0; f < functions; f++) {
      sizes.forEach((size, s) => {
        let sum = 0n;
        for (let j = 0; j < size; j++) {
          const at = p - size + 1 + j;
          const id = at < 0 ? 0n : BigInt(ids[at]!);
          sum = BigInt.asIntN(64, sum + BigInt.asIntN(64, id * BigInt.asIntN(64, PRIMES[f]! ** BigInt(j))));
        }
        const modulus = BigInt(vocab);
        rows.push((f * sizes.length + s) * vocab + Number(((sum % modulus) + modulus) % modulus));
      });
    }
  }
  return rows;
}

describe('hash n-grams', () => {
  it.each([
    [3, [443987, 245324, 222431, 177454, 49679, 369833, 346140, 246329, 257314, 329734, 478030]],
    [4, [437197, 241614, 499803, 92981, 412278, 390458, 263958, 339201, 116879, 402659, 154035]],
    [8, [172383, 320688, 324181, 339215, 208897, 325590, 131923, 299004, 354181, 8223, 395207]],
  ])('of size %i are those of the released models', (size, wanted) => {
    expect([...hashRows(MY_NAME_IS, { sizes: [size], functions: 1, vocab: RELEASED_VOCAB })]).toEqual(wanted);
  });

  it('of the seventh function use the seventh prime', () => {
    const wanted = [33463, 116118, 103071, 202595, 120163, 479054, 208863, 233018, 336765, 491461, 478603];
    const rows = hashRows(MY_NAME_IS, { sizes: [8], functions: 7, vocab: RELEASED_VOCAB });
    const seventh = [...rows].filter((_, i) => i % 7 === 6).map((row) => row - 6 * RELEASED_VOCAB);
    expect(seventh).toEqual(wanted);
  });

  it('equal 64-bit arithmetic for any ids', () => {
    const ids = fc.array(fc.integer({ min: 0, max: 259 }), { minLength: 1, maxLength: 40 });
    const vocab = fc.integer({ min: 1, max: 600_000 });
    fc.assert(
      fc.property(ids, vocab, fc.integer({ min: 1, max: 3 }), (some, rows, functions) => {
        const hash = { sizes: [8, 3, 5], functions, vocab: rows };
        const row = Int32Array.from(some);
        expect([...hashRows(row, hash)]).toEqual(reference(row, hash));
      }),
    );
  });
});
