import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { trainingCurves } from '../../src/report/training-curves.js';
import { fabricateConversion } from '../support/fabricated-conversion.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();
beforeEach(() => fabricateConversion(folder()));

describe('the curves of a conversion', () => {
  it('are those of its runs in order, over the bytes and operations since each began', async () => {
    const runs = await trainingCurves(folder());
    expect(runs.map(({ name }) => name)).toEqual(['patcher', 'stage 0', 'stage 1']);
    const [patcher, , last] = runs;
    expect(patcher!.training.length).toBe(50);
    expect(patcher!.training.at(-1)).toEqual({ bytes: 50_000, flops: 50e12, value: 7 });
    expect(patcher!.validation).toEqual([
      { bytes: 0, flops: 0, value: 8 },
      { bytes: 50_000, flops: 50e12, value: 7 },
    ]);
    expect(last!.source).toBe(1);
  });

  it('average many points, and leave out a line that a killed process did not finish', async () => {
    const last = (await trainingCurves(folder())).at(-1)!;
    expect(last.training.length).toBe(250);
    expect(last.training[0]).toEqual({ bytes: 4000, flops: 4e12, value: expect.closeTo(2 - 0.0025, 9) });
    expect(last.training.at(-1)!.bytes).toBe(1_000_000);
  });

  it('include those of each domain', async () => {
    const log = [4, 3].map((value, i) =>
      JSON.stringify({
        ...{ step: i, bytes: 1000, validation_bits_per_byte: 1 },
        ...{ validation_bits_per_byte_text: 1, validation_bits_per_byte_images: value },
      }),
    );
    await writeFile(join(folder(), 'run', 'metrics.jsonl'), log.join('\n'));
    const { domains, losses } = (await trainingCurves(folder())).at(-1)!;
    expect([...domains.keys()]).toEqual(['text', 'images']);
    expect(domains.get('images')).toEqual([
      { bytes: 1000, flops: 0, value: 4 },
      { bytes: 2000, flops: 0, value: 3 },
    ]);
    expect(losses.size).toBe(0);
  });

  it('are none where nothing was logged', async () => {
    expect(await trainingCurves(`${folder()}/evaluation`)).toEqual([]);
  });
});
