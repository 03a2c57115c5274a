/** @module Plain tables for stdout: aligned with spaces, without colour or borders, so that other programs can parse them. */

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

/**
 * Rows under titles, columns two spaces apart; ends with a newline.
 * A missing cell is blank; width is counted in code points.
 * @example renderTable([{ title: 'part' }, { title: 'parameters', align: 'right' }], [['global', '1.28 B']])
 */
export function renderTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const lines = [columns.map((column) => column.title), ...rows];
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => width(line[index] ?? ''))));
  return lines.map((line) => `${renderLine(line, columns, widths)}\n`).join('');
}

/** `key  value` lines with keys padded to the same width; ends with a newline. */
export function renderPairs(pairs: readonly (readonly [string, string])[]): string {
  const keyWidth = Math.max(0, ...pairs.map(([key]) => width(key)));
  return pairs
    .map(([key, value]) => `${key.padEnd(keyWidth)}  ${value}`.trimEnd())
    .map((line) => `${line}\n`)
    .join('');
}

function renderLine(cells: readonly string[], columns: readonly Column[], widths: readonly number[]): string {
  return columns
    .map((column, index) => {
      const cell = cells[index] ?? '';
      const padding = ' '.repeat((widths[index] ?? 0) - width(cell));
      return column.align === 'right' ? padding + cell : cell + padding;
    })
    .join('  ')
    .trimEnd();
}

function width(text: string): number {
  return [...text].length;
}
