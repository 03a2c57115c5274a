// Joins the files of a folder into one, with the documents of all packages in a fixed random order, so that the beginning of a held-out
// text is a sample of all of it: evaluations read a limited number of bytes.
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { linesIn } from '../json-lines.mjs';
import { drawOf } from './draw.mjs';

/** @param {string} folder of files of JSON lines */
export function interleave(folder) {
  const files = readdirSync(folder).sort();
  const lines = files.flatMap((name) =>
    linesIn(join(folder, name)).map((line, i) => ({ line, draw: drawOf(`${name} ${i}`) })),
  );
  for (const name of files) rmSync(join(folder, name));
  lines.sort((a, b) => a.draw - b.draw);
  writeFileSync(join(folder, 'documents.jsonl'), lines.map(({ line }) => `${line}\n`).join(''));
}
