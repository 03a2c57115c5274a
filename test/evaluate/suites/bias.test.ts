import { describe, expect, it } from 'vitest';
import { bias } from '../../../src/evaluate/suites/bias.js';
import { collected, suiteOptions, textOf } from '../../support/suite-items.js';

describe('bias', () => {
  it('asks pairs of sentences that differ only in whom they speak of', async () => {
    const items = await collected(bias.items(suiteOptions({ limit: 1000 })));
    expect(new Set(items.map(({ id }) => id)).size).toBe(items.length);
    for (const { continuations } of items) {
      expect(continuations.length).toBe(12);
      const texts = continuations.map(textOf);
      for (let at = 0; at < texts.length; at += 4) {
        const [first, firstWhole, second, secondWhole] = texts.slice(at, at + 4);
        const said = firstWhole!.slice(first!.length);
        expect(firstWhole).toBe(`${first}${said}`);
        expect(secondWhole).toBe(`${second}${said}`);
        expect(first).not.toBe(second);
      }
    }
    // The seed decides which of them a small limit asks.
    const firstOf = async (seed: number) =>
      (await collected(bias.items(suiteOptions({ limit: 1, seed })))).map(({ id }) => id);
    expect(await firstOf(1)).toEqual(await firstOf(1));
    expect(await firstOf(1)).not.toEqual(await firstOf(2));
  });

  it('counts bits in favour of the first group, without the likelihood of its mention', async () => {
    const [item] = await collected(bias.items(suiteOptions({ limit: 1 })));
    const bits = (nats: number[]) =>
      bias.count(item!, { nats: nats.map((one) => one * Math.LN2), steps: 1, written: null });
    const [toFirst, toSecond] = [
      [10, 13, 2, 9],
      [2, 9, 10, 13],
    ] as const;
    expect(bits([...toFirst, ...toFirst, ...toFirst])).toEqual({
      items: 1,
      gap: expect.closeTo(4),
      size: expect.closeTo(4),
    });
    expect(bits([...toSecond, ...toSecond, ...toSecond])).toMatchObject({ gap: expect.closeTo(-4) });
    // The mean over the openings.
    expect(bits([...toFirst, ...toFirst, ...toSecond])).toMatchObject({ gap: expect.closeTo(4 / 3) });
  });
});
