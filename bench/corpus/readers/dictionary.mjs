// Text of dictionaries for dictd: a headword on a line of its own, then its indented text.

/** References, pronunciation, and the sources that the GNU dictionary names after every paragraph. @type {[RegExp, string][]} */
const MARKS = [
  [/\s*\[(1913 Webster|PJC|WordNet 1\.5)[^\]]*\]/g, ''],
  [/ \\[^\\\n]*\\/g, ''],
  [/\{([^{}]*)\}/g, '$1'],
];

/** @param {string} dictionary */
export const dictionaryEntries = (dictionary) =>
  MARKS.reduce((text, [mark, by]) => text.replaceAll(mark, by), dictionary)
    .split(/\n(?=\S)/)
    .map((entry) => entry.trimEnd());
