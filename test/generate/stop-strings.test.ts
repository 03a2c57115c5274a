import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { settledLength, stopsAt } from '../../src/generate/stop-strings.js';

const bytes = (text: string) => [...Buffer.from(text)];
const stopsOf = (...texts: string[]) => texts.map((text) => Uint8Array.from(bytes(text)));

describe('a stop string', () => {
  it('ends the text where it begins, once its last byte is generated', () => {
    const stops = stopsOf('###', 'END');
    expect(stopsAt(bytes('abc##'), stops)).toBeNull();
    expect(stopsAt(bytes('abc###'), stops)).toBe(3);
    expect(stopsAt(bytes('END'), stops)).toBe(0);
    expect(stopsAt(bytes('abc'), [])).toBeNull();
  });

  it('is the longest one if several end at the same byte', () => {
    expect(stopsAt(bytes('xaab'), stopsOf('b', 'aab', 'ab'))).toBe(1);
  });

  it('delays only bytes that may be its beginning', () => {
    const stops = stopsOf('\n\nUser', 'é!');
    expect(settledLength(bytes('Hi'), stops)).toBe(2);
    expect(settledLength(bytes('Hi\n'), stops)).toBe(2);
    expect(settledLength(bytes('Hi\n\n\n'), stops)).toBe(3);
    expect(settledLength(bytes('Hi\n\nUsed'), stops)).toBe(8);
    // Half a character is enough to begin one.
    expect(settledLength([...bytes('caf'), 0xc3], stops)).toBe(3);
  });
});

/** Few letters, so that beginnings overlap often. */
const anyText = fc.array(fc.constantFrom(1, 2), { maxLength: 40 });
const anyStops = fc.array(fc.array(fc.constantFrom(1, 2), { minLength: 1, maxLength: 5 }), {
  minLength: 1,
  maxLength: 3,
});

it('a streamed text ends before the first complete stop string, and nothing is ever retracted', () => {
  fc.assert(
    fc.property(anyText, anyStops, (text, lists) => {
      const stops = lists.map((list) => Uint8Array.from(list));
      const endsOf = (stop: readonly number[]) =>
        text.map((_, at) => at + 1).filter((end) => stop.every((byte, i) => text[end - stop.length + i] === byte));
      const first = Math.min(...lists.flatMap(endsOf));
      const left = Math.min(...lists.filter((stop) => endsOf(stop).includes(first)).map((stop) => first - stop.length));
      let [shown, cut] = [0, null as number | null];
      for (let length = 1; length <= text.length && cut === null; length++) {
        const written = text.slice(0, length);
        cut = stopsAt(written, stops);
        const settled = cut ?? settledLength(written, stops);
        expect(settled).toBeGreaterThanOrEqual(shown);
        // At most the length of a stop string without its last byte is delayed.
        if (cut === null) expect(length - settled).toBeLessThan(Math.max(...stops.map((stop) => stop.length)));
        shown = settled;
      }
      expect(cut).toBe(first === Number.POSITIVE_INFINITY ? null : left);
    }),
    { numRuns: 500 },
  );
});
