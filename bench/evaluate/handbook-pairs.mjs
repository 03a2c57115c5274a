// Writes the same sentences in two languages, a line each, from Debian's handbook (the package debian-handbook), for the suite `translate`.
// Usage: handbook-pairs.mjs HTML FROM TO FOLDER, where HTML is usr/share/doc/debian-handbook/html of the package, and FROM and TO are names of
// folders in it (en-US, fr-FR).
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { misuse } from '../misuse.mjs';
import { handbookPairs } from './handbook.mjs';

/** Shorter paragraphs are mostly names, longer ones several sentences. */
const LENGTHS = { shortest: 40, longest: 160, ends: /[.!?]$/ };

const [html, from, to, folder] = process.argv.slice(2);
if (folder === undefined) misuse('HTML, FROM, TO and FOLDER are needed');

const pairs = handbookPairs(html, from, to, LENGTHS);
mkdirSync(folder, { recursive: true });
[from, to].forEach((language, i) => {
  writeFileSync(join(folder, `${language}.txt`), `${pairs.map((pair) => pair[i]).join('\n')}\n`);
});
console.log(`${pairs.length} pairs`);
