// Prints the test coverage on one line, from the summary that vitest writes. Commands that tests run in processes of their own do not
// count.
import { existsSync, readFileSync } from 'node:fs';

const [path] = process.argv.slice(2);
if (path === undefined || !existsSync(path)) console.log('coverage: not measured');
else {
  const { total } = JSON.parse(readFileSync(path, 'utf8'));
  const of = (kind) => `${total[kind].pct} % of ${kind}`;
  console.log(`coverage: ${of('lines')}, ${of('branches')}, ${of('functions')}`);
}
