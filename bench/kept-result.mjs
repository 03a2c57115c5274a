// Results that outlive an interruption.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

/**
 * The result in a file. If there is none, it is computed and written. The folder of the file must exist then.
 * @template T @param {string} file @param {() => T | Promise<T>} compute @returns {Promise<T>}
 */
export async function keptResult(file, compute) {
  if (!existsSync(file)) writeFileSync(file, JSON.stringify(await compute()));
  return JSON.parse(readFileSync(file, 'utf8'));
}
