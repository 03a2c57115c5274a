// Recognises English by its most frequent words.

const FREQUENT = new Set(
  (
    'the of and to in a is that it for as with be this on by are or not an at from if can you was which have but has will ' +
    'all when may one its they use used were there their his he i'
  ).split(' '),
);

/** More words do not change the decision. */
const READ_WORDS = 4000;

/** @param {string} text @returns the share of a text's words that are among the most frequent English ones */
export function frequentWordRate(text) {
  let words = 0;
  let frequent = 0;
  for (const [word] of text.matchAll(/\p{L}+/gu)) {
    words++;
    if (FREQUENT.has(word.toLowerCase())) frequent++;
    if (words === READ_WORDS) break;
  }
  return words === 0 ? 0 : frequent / words;
}
