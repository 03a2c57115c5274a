// Reads files of JSON lines.
import { readFileSync } from 'node:fs';

/** @param {string} path @returns the lines of a file that are not empty */
export const linesIn = (path) =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '');

/** @param {string} path @returns {any[]} the value on each line */
export const valuesIn = (path) => linesIn(path).map((line) => JSON.parse(line));
