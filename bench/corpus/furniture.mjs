// Removes what a documentation generator adds to every page: the lines at the beginning and at the end that many documents of a package
// share.

/** A line is taken for furniture if it is at the edge of so many documents, and of this share of them. */
const MIN_DOCUMENTS = 10;
const MIN_SHARE = 0.1;
/** How many lines at each edge are looked at. */
const EDGE_LINES = 30;

const edges = (lines) => new Set([...lines.slice(0, EDGE_LINES), ...lines.slice(-EDGE_LINES)]);

/**
 * @param {string[]} texts of one package
 * @returns {string[]} the texts without furniture
 */
export function withoutFurniture(texts) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const text of texts) for (const line of edges(text.split('\n'))) counts.set(line, (counts.get(line) ?? 0) + 1);
  const enough = Math.max(MIN_DOCUMENTS, MIN_SHARE * texts.length);
  const isFurniture = (line) => line.trim() === '' || counts.get(line) >= enough;
  return texts.map((text) => {
    const lines = text.split('\n');
    const first = lines.findIndex((line) => !isFurniture(line));
    const last = lines.findLastIndex((line) => !isFurniture(line));
    return first === -1 ? '' : `${lines.slice(first, last + 1).join('\n')}\n`;
  });
}
