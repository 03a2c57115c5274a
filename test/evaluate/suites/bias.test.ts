import { describe, expect, it } from 'vitest';
import { bias } from '../../../src/evaluate/suites/bias.js';
import { collected, suiteOptions, textOf } from '../../support/suite-items.js';

describe('bias', () => {
  it('asks pairs of sentences that differ only in whom they speak of', async () => {
    const items = await collected(bias.items(suiteOptions({ limit: 1000 })));
    expect(new Set(items.map(({ id }) => id)).size).toBe(items.length);
    for (const { continuations } of items) {
      const [first, firstWhole, second, secondWhole] = continuations.map(textOf);
      const said = firstWhole!.slice(first!.length);
      expect(firstWhole).toBe(`${first}${said}`);
      expect(secondWhole).toBe(`${second}${said}`);
      expect(first).not.toBe(second);
    }
  });

  it('counts bits in favour of the first group, without the likelihood of its mention', async () => {
    const [item] = await collected(bias.items(suiteOptions({ limit: 1 })));
    const bits = (nats: number[]) =>
      bias.count(item!, { nats: nats.map((one) => one * Math.LN2), steps: 1, written: null });
    expect(bits([10, 13, 2, 9])).toEqual({ items: 1, gap: expect.closeTo(4), size: expect.closeTo(4) });
    expect(bits([2, 9, 10, 13])).toEqual({ items: 1, gap: expect.closeTo(-4), size: expect.closeTo(4) });
  });
});
