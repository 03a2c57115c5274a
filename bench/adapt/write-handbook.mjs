// Writes what docs/adapt.md trains on: paragraphs of Debian's handbook in a language, and beside their English originals.
// Run: npm run data:handbook -- DIR [LANGUAGE]
// LANGUAGE is a folder of the handbook, such as vi-VN; without it, fa-IR (Persian).
import { parseArgs } from 'node:util';
import { misuse } from '../misuse.mjs';
import { prepareHandbook } from './prepare.mjs';

const [folder, language = 'fa-IR'] = parseArgs({ allowPositionals: true }).positionals;
if (folder === undefined) misuse('name the folder to write');

const { package: source, alone, pairs, heldOut, parallel, counts } = prepareHandbook(folder, language);
for (const file of [alone, pairs, heldOut, ...parallel]) process.stdout.write(`${file}\n`);
process.stdout.write(
  `${counts.training} pairs of paragraphs to train on, ${counts.held_out} held out, from ${source}.\n`,
);
