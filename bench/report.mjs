// The results of a benchmark: printed as a table, and written beside what they were made from.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Prints `markdown`, and writes it with the report to `NAME.md` and `NAME.json` in a folder, if one is given.
 * @param {string | undefined} out @param {string} name @param {{ report: object, markdown: string }} results
 */
export function publish(out, name, { report, markdown }) {
  process.stdout.write(`${markdown}\n`);
  if (out === undefined) return;
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, `${name}.json`), `${JSON.stringify(report, null, 2)}\n`);
  writeFileSync(join(out, `${name}.md`), `${markdown}\n`);
}

/**
 * What an earlier run has published; null if nothing.
 * @param {string | undefined} out @param {string} name
 */
export function earlierReport(out, name) {
  const file = out === undefined ? null : join(out, `${name}.json`);
  return file !== null && existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : null;
}
