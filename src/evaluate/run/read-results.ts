/** @module Reads the results of suites from a folder. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readJson } from '../../fs/index.js';
import { SUITES } from '../suites/index.js';
import { type ResultDocument, resultSchema } from './result-document.js';

/** In the order of their names. Of a folder with other files, only those that suites are named after are read. @throws ByteifyError for a file that is not a suite's results */
export async function readResults(folder: string): Promise<ResultDocument[]> {
  const there = await readdir(folder);
  const names = SUITES.map(({ name }) => `${name}.json`)
    .filter((name) => there.includes(name))
    .sort();
  const file = { schema: resultSchema, what: 'the results of a suite', hint: 'Delete the file.' };
  const found: ResultDocument[] = [];
  for (const name of names) found.push(await readJson(join(folder, name), file));
  return found;
}
