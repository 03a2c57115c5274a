import { expect, it } from 'vitest';
import { renderPairs, renderTable } from '../../src/ui/table.js';

it('a table has aligned columns and no trailing blanks, and accepts short rows', () => {
  const columns = [{ title: 'part' }, { title: 'parameters', align: 'right' as const }, { title: 'note' }];
  expect(renderTable(columns, [['global', '1.28 B', 'from the source'], ['head']])).toBe(
    ['part    parameters  note', 'global      1.28 B  from the source', 'head', ''].join('\n'),
  );
});

it('pairs have keys padded to one width in code points', () => {
  expect(
    renderPairs([
      ['θ', '10000'],
      ['layers', '30'],
    ]),
  ).toBe('θ       10000\nlayers  30\n');
});

it('no pairs are rendered as nothing', () => {
  expect(renderPairs([])).toBe('');
});
