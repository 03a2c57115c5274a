import { describe, expect, it } from 'vitest';
import { PACKAGES } from '../../../bench/corpus/packages.mjs';
import { readPins } from '../../../bench/corpus/pins.mjs';
import { bySplit } from '../../../bench/corpus/splits.mjs';

const entry = (name: string, split: string) => ({ name, split });

describe('bySplit', () => {
  it('puts held-out packages first, so that training loses the near duplicates', () => {
    const packages = [entry('a', 'train'), entry('b', 'held-out'), entry('c', 'choose'), entry('d', 'train')];
    expect(bySplit(packages).map(({ name }) => name)).toEqual(['b', 'c', 'a', 'd']);
  });

  it('refuses a package in two splits', () => {
    expect(() => bySplit([entry('a', 'train'), entry('a', 'held-out')])).toThrow(
      'a is listed twice; a package belongs to exactly one split',
    );
  });

  it('refuses an unknown split', () => {
    expect(() => bySplit([entry('a', 'test')])).toThrow(
      'a has the split "test"; the splits are: held-out, choose, train',
    );
  });
});

describe('the packages', () => {
  it('belong to one split each, and every split has every kind of text', () => {
    const kinds = (split: string) =>
      new Set(PACKAGES.filter((entry) => entry.split === split).flatMap(({ texts }) => texts.map(({ kind }) => kind)));
    expect(bySplit(PACKAGES)).toHaveLength(PACKAGES.length);
    for (const split of ['held-out', 'choose', 'train'])
      expect([...kinds(split)].sort()).toEqual(['code', 'prose', 'technical']);
  });

  it('are all pinned, and nothing else is', () => {
    const pins = readPins();
    expect(Object.keys(pins).sort()).toEqual(PACKAGES.map(({ name }) => name).sort());
    for (const { sha256 } of Object.values(pins)) expect(sha256).toMatch(/^[0-9a-f]{64}$/);
  });
});
