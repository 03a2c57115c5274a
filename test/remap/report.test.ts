import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type RemapReport, readRemapReport } from '../../src/remap/index.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();
const report: RemapReport = {
  seed: 1,
  tensors: [
    { name: 'a', shape: [2, 3], dtype: 'BF16', origin: 'copied', from: 'b' },
    { name: 'c', shape: [], dtype: 'F32', origin: 'fresh', std: 0 },
  ],
  dropped: [{ name: 'd', shape: [1], dtype: 'F16', reason: 'not needed' }],
  copied_bytes: 12,
  copied_parameters: 6,
  fresh_parameters: 1,
  total_bytes: 16,
};
const write = (json: unknown) => writeFile(join(folder(), 'remap-report.json'), JSON.stringify(json));

it('a remap report is read as it was written', async () => {
  await write(report);
  expect(await readRemapReport(folder())).toEqual(report);
});

it('a remap report is refused if it is missing or another file', async () => {
  await expect(readRemapReport(folder())).rejects.toMatchObject({
    message: `${join(folder(), 'remap-report.json')} is missing.`,
    hint: expect.stringContaining('--restart-from remap'),
  });
  await write({ ...report, tensors: [{ ...report.tensors[0], dtype: 'F7' }] });
  await expect(readRemapReport(folder())).rejects.toThrow('is not the report of a remap: tensors.0.dtype: ');
});
