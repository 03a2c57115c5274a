import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseHTML } from 'linkedom';
import { beforeEach, describe, expect, it } from 'vitest';
import { compare, comparisonPage, reportInputs } from '../../src/report/index.js';
import { resultOf } from '../support/evaluation-results.js';
import { fabricateConversion } from '../support/fabricated-conversion.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();
let [first, second] = ['', ''];
beforeEach(async () => {
  [first, second] = [join(folder(), 'first'), join(folder(), 'second')];
  for (const dir of [first, second]) {
    await mkdir(dir);
    await fabricateConversion(dir);
  }
});

const inputs = () => Promise.all([first, second].map(reportInputs));

describe('conversions side by side', () => {
  it('have their facts and the figures of their suites in one table', async () => {
    const { names, rows, notes } = compare(await inputs());
    expect(names).toEqual(['first', 'second']);
    expect(notes).toEqual([]);
    const cells = (start: string) => rows.find(({ label }) => label.startsWith(start))?.cells;
    expect(cells('retention')).toEqual(['80.0 %', '80.0 %']);
    expect(cells('bpb, prose')).toEqual(['1.500 (1.400 to 1.600)', '1.500 (1.400 to 1.600)']);
    const retained = rows.find(({ label }) => label.startsWith('bpb') && label.endsWith('retained'))!;
    expect(retained.cells[0]).toBe('80.0 % (75.0 to 85.0)');
    expect(retained.values[0]).toEqual({ value: 0.8, low: 0.75, high: 0.85 });
  });

  it('leave out a suite that asked other items, and say so', async () => {
    const other = resultOf('bpb', { items_sha256: 'o'.repeat(64) });
    await writeFile(join(second, 'evaluation/bpb.json'), JSON.stringify(other));
    const { rows, notes } = compare(await inputs());
    expect(rows.find(({ label }) => label.startsWith('bpb'))!.cells).toEqual(['1.500 (1.400 to 1.600)', '']);
    expect(notes).toEqual(['second was evaluated by bpb on other items, so its figures are left out.']);
  });

  it('are named by more of their paths where their folders have the same name', async () => {
    const again = await Promise.all([first, first].map(reportInputs));
    expect(compare(again).names).toEqual([first, first]);
  });

  it('fill a page with a chart per suite', async () => {
    const { document } = parseHTML(await comparisonPage(await inputs()));
    expect(document.querySelectorAll('#suites figure').length).toBe(2);
    const legend = [...document.querySelectorAll('#suites figure:first-of-type .legend li')].map(
      (item) => item.textContent,
    );
    expect(legend).toEqual(['first', 'second']);
    expect(document.querySelector('#table tbody')!.textContent).toContain('80.0 %');
  });
});
