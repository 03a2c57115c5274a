/** @module `byteify compare`: conversions side by side. */
import { writeFileAtomic } from '../fs/index.js';
import { renderTable } from '../ui/index.js';
import { type Command, printResult } from './command.js';

interface Args {
  readonly dirs: readonly string[];
  readonly out?: string;
}

export const compareCommand: Command<Args> = {
  name: 'compare',
  summary: 'put conversions side by side: what they retain, and what suites found',
  arguments: [{ name: 'dirs', help: 'conversion folders', variadic: true }],
  options: [{ flags: '--out <file>', help: 'also write a page with charts' }],
  examples: ['byteify compare first-blt second-blt', 'byteify compare *-blt --out compared.html'],
  startsOver: true,
  async run(context, { dirs, out }) {
    const { compare, comparisonPage, reportInputs } = await import('../report/index.js');
    const inputs = await Promise.all(dirs.map(reportInputs));
    const { names, rows, notes } = compare(inputs);
    if (out !== undefined) await writeFileAtomic(out, await comparisonPage(inputs));
    const document = {
      conversions: dirs,
      rows: rows.map(({ label, values }) => ({
        label,
        values: Object.fromEntries(values.map((value, i) => [dirs[i]!, value])),
      })),
      notes,
      ...(out !== undefined && { page: out }),
    };
    printResult(context, document, () => {
      const columns = [{ title: '' }, ...names.map((title) => ({ title, align: 'right' as const }))];
      const table = renderTable(
        columns,
        rows.map(({ label, cells }) => [label, ...cells]),
      );
      return [table, ...notes.map((note) => `${note}\n`)].join('\n');
    });
  },
};
