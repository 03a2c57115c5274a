// Writes the same sentences in two languages, a line each, from Debian's handbook (the package debian-handbook), for the suite `translate`.
// Usage: handbook-pairs.mjs HTML FROM TO FOLDER, where HTML is usr/share/doc/debian-handbook/html of the package, and FROM and TO are names of
// folders in it (en-US, fr-FR). Paragraphs are paired by their position on pages that have as many of them in both languages.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseHTML } from 'linkedom';
import { misuse } from '../misuse.mjs';

/** Shorter paragraphs are mostly names, longer ones several sentences. */
const [SHORTEST, LONGEST] = [40, 160];

const [html, from, to, folder] = process.argv.slice(2);
if (folder === undefined) misuse('HTML, FROM, TO and FOLDER are needed');

/** The texts of a page's paragraphs in order; null for those that contain others. */
const paragraphsOf = (path) =>
  [...parseHTML(readFileSync(path, 'utf8')).document.querySelectorAll('div.para')].map((one) =>
    one.querySelector('div, pre, ul') === null ? one.textContent.replaceAll(/\s+/g, ' ').trim() : null,
  );

const isSentence = (text) => text !== null && text.length >= SHORTEST && text.length <= LONGEST && /[.!?]$/.test(text);

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
    if (isSentence(text) && isSentence(other[i]) && text !== other[i]) pairs.set(text, other[i]);
  });
}
mkdirSync(folder, { recursive: true });
const write = (language, texts) => writeFileSync(join(folder, `${language}.txt`), `${[...texts].join('\n')}\n`);
write(from, pairs.keys());
write(to, pairs.values());
console.log(`${pairs.size} pairs`);
