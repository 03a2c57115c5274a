import { describe, expect, it } from 'vitest';
import { CARD_SECTIONS, missingSections } from '../../src/release/card-sections.js';

describe('missingSections', () => {
  const card = CARD_SECTIONS.map((title) => `## ${title}\n\nText.\n`);

  it('returns nothing for a complete card', () => {
    expect(missingSections(`# Title\n\n${card.join('\n')}`)).toEqual([]);
  });

  it.each(CARD_SECTIONS.map((title, at) => [title, at] as const))(
    'returns %s if it is missing or empty',
    (title, at) => {
      expect(missingSections(card.toSpliced(at, 1).join('\n'))).toEqual([title]);
      expect(missingSections(card.toSpliced(at, 1, `## ${title}\n`).join('\n'))).toEqual([title]);
    },
  );
});
