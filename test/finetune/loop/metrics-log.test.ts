import { mkdtempSync } from 'node:fs';
import { appendFile, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openMetrics } from '../../../src/finetune/loop/metrics-log.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const folder = temporaryFolder();

describe('openMetrics', () => {
  it('drops lines after the step a run resumes from, and a truncated last line', async () => {
    const run = mkdtempSync(join(folder(), 'run-'));
    const first = await openMetrics(run, 0);
    for (const step of [0, 1, 2, 3]) await first.write(step, { loss: step });
    await first.close();
    await appendFile(join(run, 'metrics.jsonl'), '{"step":4,"lo');
    const second = await openMetrics(run, 2);
    await second.write(3, { loss: 33 });
    await second.close();
    const lines = (await readFile(join(run, 'metrics.jsonl'), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ step, loss }) => [step, loss])).toEqual([
      [0, 0],
      [1, 1],
      [2, 2],
      [3, 33],
    ]);
    expect((await readdir(run)).some((name) => name.startsWith('events.out.tfevents.'))).toBe(true);
  });
});
