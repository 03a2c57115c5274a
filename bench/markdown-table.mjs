// Tables in Markdown.

/**
 * @param {unknown[]} heads
 * @param {unknown[][]} rows
 * @param {{ numbers?: boolean }} options `numbers` aligns all columns but the first to the right
 */
export const table = (heads, rows, { numbers = false } = {}) =>
  [heads, heads.map((_, i) => (numbers && i > 0 ? '---:' : '---')), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
