import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createDigestSet } from '../../src/data/digest-set.js';

const digestOf = (value: number) => createHash('sha256').update(`${value}`).digest();

describe('a set of digests', () => {
  it('behaves like a set that can be truncated', () => {
    const step = fc.oneof(
      fc.record({ add: fc.nat(30) }),
      fc.record({ keep: fc.double({ min: 0, max: 1, noNaN: true }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const set = createDigestSet();
        const wanted: number[] = [];
        for (const action of steps) {
          if ('add' in action) {
            expect(set.add(digestOf(action.add))).toBe(!wanted.includes(action.add));
            if (!wanted.includes(action.add)) wanted.push(action.add);
          } else {
            wanted.length = Math.floor(action.keep * wanted.length);
            set.truncate(wanted.length);
          }
          expect(set.size).toBe(wanted.length);
        }
      }),
    );
  });

  it('grows, and distinguishes digests with a common beginning', () => {
    const set = createDigestSet();
    const alike = (last: number) => Uint8Array.from({ length: 32 }, (_, i) => (i === 15 ? last : 7));
    for (let i = 0; i < 200; i++) expect(set.add(alike(i))).toBe(true);
    for (let i = 0; i < 20_000; i++) expect(set.add(digestOf(i))).toBe(true);
    for (let i = 0; i < 200; i++) expect(set.add(alike(i))).toBe(false);
    expect(set.size).toBe(20_200);
  });
});
