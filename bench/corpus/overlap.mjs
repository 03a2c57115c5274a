// How much of the held-out text also occurs in the training text: near duplicates are whole documents, but a passage can be quoted too.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { linesIn } from '../json-lines.mjs';
import { shingles } from './minhash.mjs';

/** Longer runs of words rarely occur twice by chance; GPT-3's analysis of contamination used 13 as well. */
const WORDS = 13;

/**
 * Hashes of a text's runs of words. With 32 bits alone, one in a hundred runs would be found by accident among as many as the training
 * text has.
 * @param {string} text
 */
function runsOf(text) {
  const second = shingles(text, WORDS, 37);
  return Array.from(shingles(text, WORDS), (hash, i) => hash * 2 ** 20 + (second[i] >>> 12));
}

/** @param {string} folder @returns {Generator<string>} the texts of its files of JSON lines */
function* textsIn(folder) {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder).sort())
    for (const line of linesIn(join(folder, name))) yield JSON.parse(line).text;
}

/** @param {string} folder */
const kindsIn = (folder) => (existsSync(folder) ? readdirSync(folder).sort() : []);

/**
 * @param {string} held a folder with a folder for each kind of text
 * @param {string} train the same
 * @returns {Record<string, number>} for each kind of the held-out text, the share of its different runs of 13 words that occur in any
 * training text
 */
export function overlaps(held, train) {
  const kinds = kindsIn(held).map((kind) => {
    const runs = new Set();
    for (const text of textsIn(join(held, kind))) for (const run of runsOf(text)) runs.add(run);
    return { kind, runs, found: new Set() };
  });
  for (const kind of kindsIn(train))
    for (const text of textsIn(join(train, kind)))
      for (const run of runsOf(text)) for (const { runs, found } of kinds) if (runs.has(run)) found.add(run);
  return Object.fromEntries(kinds.map(({ kind, runs, found }) => [kind, runs.size === 0 ? 0 : found.size / runs.size]));
}
