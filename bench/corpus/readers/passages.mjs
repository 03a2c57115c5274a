// Divides long texts into documents.

/**
 * Joins neighbouring paragraphs until they have `size` characters.
 * @param {string[]} paragraphs
 * @param {number} size
 */
export function passages(paragraphs, size) {
  const found = [];
  let passage = [];
  let length = 0;
  for (const paragraph of paragraphs) {
    passage.push(paragraph);
    length += paragraph.length;
    if (length < size) continue;
    found.push(passage.join('\n\n'));
    [passage, length] = [[], 0];
  }
  return passage.length === 0 ? found : [...found, passage.join('\n\n')];
}
