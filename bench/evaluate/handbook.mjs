// The same paragraphs of Debian's handbook (the package debian-handbook) in two languages.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseHTML } from 'linkedom';

/** The texts of a page's paragraphs in order; null for those that contain others. */
const paragraphsOf = (path) =>
  [...parseHTML(readFileSync(path, 'utf8')).document.querySelectorAll('div.para')].map((one) =>
    one.querySelector('div, pre, ul') === null ? one.textContent.replaceAll(/\s+/g, ' ').trim() : null,
  );

const wordsOf = (text) => text.toLowerCase().match(/\p{L}{4,}/gu) ?? [];
/** Names and terms stay as they are in every language, but not as much of a text. */
const MOST_SHARED = 0.5;

/** Whether a text is not, wholly or mostly, the English one: the handbook shows what nobody has translated yet in English. */
function isTranslated(english, other) {
  const own = new Set(wordsOf(english));
  const words = wordsOf(other);
  return words.filter((word) => own.has(word)).length < MOST_SHARED * words.length;
}

/**
 * Paragraphs by position on pages that have as many of them in both languages; those that were left untranslated are left out.
 * @param {string} html usr/share/doc/debian-handbook/html of the package
 * @param {string} from @param {string} to names of folders in it: `en-US`, `fr-FR`
 * @param {{ shortest: number, longest: number, ends?: RegExp }} lengths in characters, and how a text must end
 * @returns {[string, string][]}
 */
export function handbookPairs(html, from, to, { shortest, longest, ends = /[.!?。]$/ }) {
  const isWanted = (text) => text !== null && text.length >= shortest && text.length <= longest && ends.test(text);
  const pairs = new Map();
  for (const page of readdirSync(join(html, from)).filter((name) => name.endsWith('.html'))) {
    let paragraphs;
    try {
      paragraphs = [from, to].map((language) => paragraphsOf(join(html, language, page)));
    } catch (error) {
      if (error.code === 'ENOENT') continue;
      throw error;
    }
    const [own, other] = paragraphs;
    if (own.length !== other.length) continue;
    own.forEach((text, i) => {
      if (isWanted(text) && isWanted(other[i]) && isTranslated(text, other[i])) pairs.set(text, other[i]);
    });
  }
  return [...pairs];
}
