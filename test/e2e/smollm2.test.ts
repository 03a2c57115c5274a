import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Finished } from '../support/cli.js';
import { smollm2Conversion } from '../support/conversions.js';

/** Measured on the 2,048 held-out bytes of test/fixtures/text; a different split of the text would give a different number. */
const SOURCE_BITS_PER_BYTE = 1.58;

let folder: string;
let result: Finished;
beforeAll(async () => {
  ({ folder, result } = await smollm2Conversion());
}, 1_200_000);

describe('converting SmolLM2-135M from a GGUF', () => {
  it('measures the source as well as the BLT', () => {
    const summary = JSON.parse(result.stdout);
    // Fixed weights on fixed text: a misplaced layer costs bits, and a leaked target saves them (the peer tests compare with PyTorch
    // to 0.001).
    expect(summary.source_bits_per_byte).toBeGreaterThan(0.95 * SOURCE_BITS_PER_BYTE);
    expect(summary.source_bits_per_byte).toBeLessThan(1.05 * SOURCE_BITS_PER_BYTE);
    expect(summary.bits_per_byte).toBeLessThan(9);
    expect(summary.source_quantised_types).toEqual(['Q4_1', 'Q8_0']);
  });

  it('learns from the first steps', async () => {
    const lines = (await readFile(join(folder, 'run', 'metrics.jsonl'), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const looks = lines.flatMap(({ validation_bits_per_byte: bits }) => bits ?? []);
    expect(looks.at(-1)).toBeLessThan(looks[0] - 1);
  });

  it('accounts for every tensor', async () => {
    const report = JSON.parse(await readFile(join(folder, 'init', 'remap-report.json'), 'utf8'));
    expect(report.dropped.map(({ name }: { name: string }) => name).sort()).toEqual([
      'model.embed_tokens.weight',
      'model.norm.weight',
    ]);
    expect(report.tensors.filter(({ origin }: { origin: string }) => origin === 'copied').length).toBe(30 * 9);
  });
});
