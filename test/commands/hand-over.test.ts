import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { exportCommand } from '../../src/commands/export.js';
import { importCommand } from '../../src/commands/import.js';
import { openStore } from '../../src/data/index.js';
import { checkExport } from '../../src/export/index.js';
import { metadataFiles } from '../../src/release/index.js';
import { goldenPath } from '../support/golden.js';
import { manifestOf, ODC_BY, recipeWith } from '../support/release.js';
import { runCommand } from '../support/run-command.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();
const text = goldenPath('../text/README.md.txt');
const args = { language: [], dataSource: [], device: 'cpu', format: 'torch', set: [] } as const;

/** An export with a history, outside its conversion. */
async function exported(): Promise<string> {
  const dir = join(folder(), 'blt');
  await cp(goldenPath('plain/blt'), dir, { recursive: true });
  const recipe = await recipeWith({ data_sources: [ODC_BY] });
  const { files } = await metadataFiles({ folder: folder(), manifest: manifestOf({}), recipe, name: 'x' });
  for (const [name, contents] of files) await writeFile(join(dir, name), contents);
  await writeFile(join(dir, 'LICENSE'), 'the terms\n');
  return dir;
}

const handOver = (dir: string, change: object = {}) =>
  runCommand(exportCommand, {
    ...args,
    dir,
    out: join(folder(), 'hand'),
    recipe: 'tiny-paper',
    data: [text],
    ...change,
  });

describe('export --format torch and import', () => {
  it('pass the model on with its history, and take it back with the training added', async () => {
    const dir = await exported();
    const hand = join(folder(), 'hand');
    expect((await handOver(dir)).error).toBeNull();
    expect((await readdir(hand)).sort()).toEqual(
      ['data', 'model', 'model.py', 'row_optimizer.py', 'rows.py', 'train.json', 'train.py'].sort(),
    );
    const store = await openStore(join(hand, 'data'));
    expect(store.train.byteCount).toBeGreaterThan(1000);
    await store.close();

    // What train.py would write.
    const settings = JSON.parse(await readFile(join(hand, 'train.json'), 'utf8'));
    const checkpoint = join(hand, 'run', 'checkpoint-000005');
    await cp(join(hand, 'model'), checkpoint, { recursive: true });
    const record = { ...settings, script: 1, torch: '2.15.0', transformers: '5.23.0', step: 5, bytes: 4096 };
    await writeFile(join(checkpoint, 'training.json'), JSON.stringify(record));

    const back = join(folder(), 'back');
    const { stdout, error } = await runCommand(importCommand, { model: hand, out: back }, { json: true });
    expect(error).toBeNull();
    expect(JSON.parse(stdout)).toMatchObject({ folder: back, checkpoint, steps: 5, bytes: 4096 });
    await checkExport(back);
    const provenance = JSON.parse(await readFile(join(back, 'provenance.json'), 'utf8'));
    const before = JSON.parse(await readFile(join(dir, 'provenance.json'), 'utf8'));
    const { data_sha256, byteify } = settings;
    const training = {
      script: 1,
      byteify,
      torch: '2.15.0',
      transformers: '5.23.0',
      data_sha256,
      steps: 5,
      bytes: 4096,
    };
    expect(provenance).toEqual({ ...before, trained_elsewhere: [training] });
    expect(await readFile(join(back, 'LICENSE'), 'utf8')).toBe('the terms\n');
    const card = await readFile(join(back, 'README.md'), 'utf8');
    expect(card).toContain('it was trained in PyTorch 2.15.0 for 5 steps');
    expect(card).toContain('The model was measured before its last training');
    expect(card).not.toContain('Retention is');
    expect(card).toContain('base_model: org/Some-Llama');
  });

  it('leave nothing behind if the text cannot be read', async () => {
    const dir = await exported();
    const { error } = await handOver(dir, { data: [join(folder(), 'absent')] });
    expect(error).not.toBeNull();
    expect(await readdir(folder())).toEqual(['blt']);
  });

  it.each([
    [{ out: undefined }, 'A folder for PyTorch needs a place of its own.'],
    [{ dtype: 'bfloat16' }, '--dtype has no effect with --format torch'],
    [{ data: undefined }, 'There is no text to train on.'],
    [
      { format: 'transformers', recipe: undefined, data: undefined, out: undefined, checkpoint: 'x' },
      '--checkpoint needs a folder to write.',
    ],
    [{ format: 'transformers' }, '--recipe has no effect on an export for transformers.'],
  ])('refuse %j', async (change, message) => {
    const { error } = await handOver(await exported(), change);
    expect(error).toMatchObject({ message: expect.stringContaining(message) });
  });
});
