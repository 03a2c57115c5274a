import { expect, it } from 'vitest';
import { renderBars } from '../../src/ui/index.js';

const BARS = [
  { label: '1.1 M', value: 4, text: '4.00', isMarked: false },
  { label: '640 K', value: 2, text: '2.00', isMarked: true },
  { label: '0', value: 0, text: '0.00', isMarked: false },
];

it('bars are proportional, labels end in one column, and a marked bar looks different', () => {
  expect(renderBars(BARS, 29)).toBe(
    ['1.1 M  ################  4.00', '640 K  ********  2.00', '    0    0.00', ''].join('\n'),
  );
});

it.each([40, 80, 200])('the longest line is as wide as a terminal of %d columns', (columns) => {
  const widths = renderBars(BARS, columns)
    .split('\n')
    .map(({ length }) => length);
  expect(Math.max(...widths)).toBe(columns);
});

it('bars keep some length where the terminal is narrower than their labels', () => {
  expect(renderBars(BARS, 5)).toContain('########');
});

it('bars of nothing are nothing', () => {
  expect(renderBars([], 80)).toBe('');
  expect(renderBars([{ label: 'a', value: 0, text: '0', isMarked: false }], 80)).toBe('a    0\n');
});
