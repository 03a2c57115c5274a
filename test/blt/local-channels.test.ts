import { describe, expect, it } from 'vitest';
import { localChannels } from '../../src/blt/local-channels.js';

const channels = (width: number, globalWidth: number) =>
  localChannels({ encoder: { hiddenSize: width }, global: { hiddenSize: globalWidth } } as Parameters<
    typeof localChannels
  >[0]);

describe('localChannels', () => {
  // A count and a constant take two channels.
  it.each([
    ['a whole embedding, and what is left to the n-gram tables', 160, 128, { content: 128, spare: 30 }],
    ['a whole embedding with just enough spare channels', 146, 128, { content: 128, spare: 16 }],
    ['an eighth of the width to the n-gram tables where fewer than 16 are left', 145, 128, { content: 125, spare: 18 }],
    ['an eighth in a model as wide as the source', 128, 128, { content: 110, spare: 16 }],
    ['an eighth in a narrower model', 96, 128, { content: 82, spare: 12 }],
    ['all that is left in a wide model', 1024, 128, { content: 128, spare: 894 }],
  ])('gives %s (width %d, source %d)', (_, width, globalWidth, found) => {
    expect(channels(width, globalWidth)).toEqual(found);
  });

  it('divides every width completely, and never holds more than an embedding', () => {
    for (let width = 8; width < 400; width++) {
      const { content, spare } = channels(width, 128);
      expect(content + spare + 2).toBe(width);
      expect(content).toBeLessThanOrEqual(128);
      expect(content).toBeGreaterThan(0);
      expect(spare).toBeGreaterThanOrEqual(Math.min(16, Math.floor(width / 8)));
    }
  });
});
