import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import { exportCommand } from '../../src/commands/export.js';
import { remapCommand } from '../../src/commands/remap.js';
import { openCheckpoint } from '../../src/safetensors/index.js';
import { runCommand } from '../support/run-command.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const llama = fileURLToPath(new URL('../fixtures/golden/plain/llama', import.meta.url));
const blt = fileURLToPath(new URL('../fixtures/golden/plain/blt', import.meta.url));
const folder = temporaryFolder();

/** Small hash tables, because the derived sizes are meant for real models. */
const set = ['blt.hash_vocab=100'];

describe('remap', () => {
  it('writes a BLT to --out and prints the origin of every tensor', async () => {
    const out = join(folder(), 'init');
    const { stdout, error } = await runCommand(remapCommand, { dir: llama, out, set }, { json: true });
    expect(error).toBeNull();
    const report = JSON.parse(stdout);
    const reader = await openCheckpoint(out);
    expect(report.tensors.map(({ name }: { name: string }) => name).sort()).toEqual([...reader.tensors.keys()].sort());
    await reader.close();
    expect(report.dropped.map(({ name }: { name: string }) => name)).toContain('model.norm.weight');
    expect(report.folder).toBe(out);
  });

  it('prints the same as tables', async () => {
    const { stdout } = await runCommand(remapCommand, { dir: llama, out: join(folder(), 'init'), set });
    expect(stdout).toMatch(
      /^model\.global_transformer\.layers\.0\.self_attn\.q_proj\.weight +F32 +\[64, 64\] +permuted +model\.layers\.0/m,
    );
    expect(stdout).toMatch(/^model\.norm\.weight +F32 +\[64\] +\S/m);
    expect(stdout).not.toMatch(/undefined|NaN/);
  });

  it('requires --out, and leaves nothing behind if the source is invalid', async () => {
    expect((await runCommand(remapCommand, { dir: llama, set })).error).toMatchObject({
      message: `${llama} is not a conversion folder.`,
      exitCode: 2,
    });
    await writeFile(join(folder(), 'config.json'), '{"model_type":"gpt2"}');
    const { error } = await runCommand(remapCommand, { dir: folder(), out: join(folder(), 'init'), set });
    expect(error).toMatchObject({ message: expect.stringContaining('cannot be converted') });
    expect(await readdir(folder())).toEqual(['config.json']);
  });
});

describe('remap --out', () => {
  it('replaces only what remap wrote', async () => {
    const out = join(folder(), 'init');
    const again = () => runCommand(remapCommand, { dir: llama, out, set });
    expect((await again()).error).toBeNull();
    expect((await again()).error).toBeNull();
    await writeFile(join(out, 'notes.txt'), 'mine');
    expect((await again()).error).toMatchObject({ message: expect.stringContaining('is not empty'), exitCode: 2 });
    expect(await readFile(join(out, 'notes.txt'), 'utf8')).toBe('mine');
    expect((await runCommand(remapCommand, { dir: llama, out: llama, set })).error).toMatchObject({
      message: `${llama} is the input: ${llama}.`,
    });
  });
});

describe('export', () => {
  const args = { device: 'auto', language: [], dataSource: [] } as const;

  it('requires --out for a plain checkpoint', async () => {
    const { error } = await runCommand(exportCommand, { ...args, dir: blt });
    expect(error).toMatchObject({ message: `${blt} is not a conversion folder.`, exitCode: 2 });
  });

  it('writes to --out what transformers loads, and says that it was not compared if the engine is not set up', async () => {
    vi.stubEnv('BYTEIFY_HOME', folder());
    const out = join(folder(), 'tiny');
    const { stdout, stderr, error } = await runCommand(
      exportCommand,
      { ...args, dir: blt, out, dtype: 'float32', language: ['en'] },
      { json: true },
    );
    vi.unstubAllEnvs();
    expect(error).toBeNull();
    expect(JSON.parse(stdout)).toMatchObject({ folder: out, dtype: 'float32', max_logit_difference: null });
    expect(stderr).toContain('byteify setup');
    expect(await readFile(join(out, 'README.md'), 'utf8')).toMatch(
      /^---\nlicense: unknown\nlanguage:\n {2}- en\n[\s\S]*\n# tiny\n/,
    );
  });

  it('refuses a folder that contains no BLT', async () => {
    const out = join(folder(), 'out');
    const { error } = await runCommand(exportCommand, { ...args, dir: llama, out });
    expect(error).toMatchObject({ message: expect.stringContaining(join(llama, 'config.json')) });
    expect(await readdir(folder())).toEqual([]);
  });
});
