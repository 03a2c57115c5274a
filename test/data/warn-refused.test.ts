import { expect, it } from 'vitest';
import { warnRefused } from '../../src/data/warn-refused.js';

function warnings(refusals: number, options: { count: number; list?: string }): string[] {
  const told: string[] = [];
  const refused = Array.from({ length: refusals }, (_, i) => ({ path: 'a.jsonl', line: i + 1, reason: 'it is empty' }));
  warnRefused({ warn: (text) => told.push(text) }, refused, options);
  return told;
}

it('warnings name the first refusals and count the others', () => {
  expect(warnings(2, { count: 2 })).toEqual([
    'a.jsonl:1 was left out: it is empty',
    'a.jsonl:2 was left out: it is empty',
  ]);
  expect(warnings(7, { count: 12_000, list: 'data.json' }).at(-1)).toBe(
    '11995 more were left out; data.json lists them',
  );
  expect(warnings(7, { count: 7 })).toHaveLength(6);
});

it('warnings about a whole file have no line', () => {
  const told: string[] = [];
  warnRefused({ warn: (text) => told.push(text) }, [{ path: 'b.txt', reason: 'it is binary' }], { count: 1 });
  expect(told).toEqual(['b.txt was left out: it is binary']);
});
