import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ByteStore, buildStore, type DomainFiles, openStore, textDomain } from '../../../src/data/index.js';
import { startEngine } from '../../../src/engine/index.js';
import { finetune } from '../../../src/finetune/index.js';
import { type Distillation, openDistillation } from '../../support/distillation.js';
import { checkpointOf, valuesOf } from '../support/runs.js';

const folder = mkdtempSync(join(tmpdir(), 'byteify-domains-'));
const stores: ByteStore[] = [];
let [plain, mixed]: Distillation[] = [];

async function open(name: string, domains: readonly DomainFiles[]): Promise<Distillation> {
  const out = join(folder, name);
  await mkdir(out);
  await buildStore({ domains, out: join(out, 'data'), validationFraction: 0.3, seed: 1, textKey: 'text' });
  const store = await openStore(join(out, 'data'));
  stores.push(store);
  return openDistillation(out, store, { crossAttnK: 1, hiddenSize: 160 });
}

beforeAll(async () => {
  await startEngine({ threads: 2 });
  for (const name of ['text', 'images']) await mkdir(join(folder, name));
  for (let i = 0; i < 8; i++) {
    await writeFile(join(folder, 'text', `${i}.txt`), `The file number ${i} is read, and its size is ${i * 97}.\n`);
    await writeFile(
      join(folder, 'images', `${i}.bin`),
      Uint8Array.from({ length: 200 }, (_, k) => 0x80 + ((k * (i + 1)) % 0x7f)),
    );
  }
  const text = textDomain([join(folder, 'text')], 256);
  const images = { ...text, name: 'images', kind: 'bytes' as const, paths: [join(folder, 'images')] };
  plain = await open('plain', [text]);
  mixed = await open('mixed', [images, text]);
});
afterAll(async () => {
  for (const store of stores) await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const STEPS = 3;
const endToEnd = (prefixKl: number) => ({
  ...{ kind: 'end-to-end', steps: STEPS, batch_bytes: 512, sequence_length: 128, micro_batch_size: 2 },
  ...{ learning_rate: 2e-3, warmup_steps: 0, losses: { prefix_kl: prefixKl } },
});
const closedForm = { kind: 'closed-form', text_bytes: 400, solve_bytes: 200, ngram_bytes: 200, sequence_length: 128 };

/** The last metrics of a run, without the time that it took. */
async function lossesOf({ path }: Distillation, name: string): Promise<Record<string, number>[]> {
  const lines = (await readFile(join(path(name), 'metrics.jsonl'), 'utf8')).trim().split('\n');
  return lines.map((line) =>
    Object.fromEntries(
      Object.entries(JSON.parse(line) as Record<string, number>).filter(([key]) => key.startsWith('train_')),
    ),
  );
}

describe('beside domains of bytes', () => {
  it('an aligned patcher learns from the text alone', async () => {
    expect(await valuesOf(mixed!.from[0]!)).toEqual(await valuesOf(plain!.from[0]!));
  });

  it.each([
    ['prefix-kl', [endToEnd(1)]],
    [
      'closed-form',
      [
        { ...closedForm, micro_batch_size: 2 },
        { ...endToEnd(1), frozen: ['global'] },
      ],
    ],
  ])('stages that learn from the source read the text alone: %s', async (name, stages) => {
    for (const one of [plain!, mixed!]) await one.run(name, one.recipe(stages));
    expect(await lossesOf(mixed!, name)).toEqual(await lossesOf(plain!, name));
    expect(await valuesOf(checkpointOf(mixed!.path(name), STEPS))).toEqual(
      await valuesOf(checkpointOf(plain!.path(name), STEPS)),
    );
  });

  it('other stages read everything, and each domain is measured', async () => {
    const metrics = await mixed!.run('all', mixed!.recipe([endToEnd(0)]));
    const alone = await plain!.run('all', plain!.recipe([endToEnd(0)]));
    expect(await lossesOf(mixed!, 'all')).not.toEqual(await lossesOf(plain!, 'all'));
    const measured = (of: object) => Object.keys(of).filter((key) => key.startsWith('validation_bits_per_byte'));
    expect(measured(alone)).toEqual(['validation_bits_per_byte']);
    expect(measured(metrics).sort()).toEqual([
      'validation_bits_per_byte',
      'validation_bits_per_byte_images',
      'validation_bits_per_byte_text',
    ]);
    // What the source is compared with is text.
    expect(metrics.validation_bits_per_byte).toBe(metrics.validation_bits_per_byte_text);
  });

  it('a stage that learns from the source is refused if there is no text', async () => {
    const text = { ...textDomain([join(folder, 'images')], 256), kind: 'bytes' as const };
    await buildStore({
      domains: [text],
      out: join(folder, 'bytes'),
      validationFraction: 0.3,
      seed: 1,
      textKey: 'text',
    });
    const store = await openStore(join(folder, 'bytes'));
    await expect(
      finetune({
        ...{
          from: plain!.from,
          source: plain!.source,
          run: join(folder, 'none'),
          recipe: plain!.recipe([endToEnd(1)]),
        },
        ...{ store, heldOut: [], sourceBitsPerByte: null, settings: '', signal: new AbortController().signal },
      }),
    ).rejects.toThrow(
      'A stage of kind end-to-end learns from the source, which reads text, and all data are of kind bytes.',
    );
    await store.close();
  });
});
