import { expect, it } from 'vitest';
import { renderPairs, renderTable } from '../../src/ui/table.js';

it('aligns columns, leaves no trailing blanks and accepts short rows', () => {
  const columns = [{ title: 'part' }, { title: 'parameters', align: 'right' as const }, { title: 'note' }];
  expect(renderTable(columns, [['global', '1.28 B', 'from the source'], ['head']])).toBe(
    ['part    parameters  note', 'global      1.28 B  from the source', 'head', ''].join('\n'),
  );
});

it('pads keys to one width, counting code points', () => {
  expect(
    renderPairs([
      ['θ', '10000'],
      ['layers', '30'],
    ]),
  ).toBe('θ       10000\nlayers  30\n');
});

it('renders nothing for no pairs', () => {
  expect(renderPairs([])).toBe('');
});
