import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import { exportCommand } from '../../src/commands/export.js';
import { type Manifest, readManifest } from '../../src/conversion/index.js';
import { recipeToYaml } from '../../src/recipe/index.js';
import { releaseViolations } from '../../src/release/index.js';
import { manifestOf, ODC_BY, recipeWith } from '../support/release.js';
import { runCommand } from '../support/run-command.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const selfCheck = vi.hoisted(() => vi.fn());
vi.mock('../../src/evaluate/index.js', () => ({ selfCheck }));
vi.mock('../../src/engine/index.js', () => ({ startEngine: async () => undefined }));

const blt = fileURLToPath(new URL('../fixtures/golden/plain/blt', import.meta.url));
const folder = temporaryFolder();
const args = { language: [], dataSource: [], device: 'cuda' } as const;

const exported = () => runCommand(exportCommand, { ...args, dir: blt, out: join(folder(), 'out') });

it('export --out leaves nothing behind if the export does not compute what its checkpoint computes', async () => {
  selfCheck.mockRejectedValueOnce(new Error('a logit differs'));
  expect((await exported()).error).toMatchObject({ message: 'a logit differs' });
  expect(await readdir(folder())).toEqual([]);
  selfCheck.mockResolvedValueOnce({ maxLogitDifference: 0, positions: 1 });
  expect((await exported()).error).toBeNull();
  expect(await readdir(folder())).toEqual(['out']);
});

describe('the export of a conversion', () => {
  /** A trained conversion of a Llama with a licence file. */
  async function conversion(): Promise<string> {
    const dir = join(folder(), 'conversion');
    await mkdir(join(dir, 'source'), { recursive: true });
    await writeFile(join(dir, 'source', 'LICENSE.txt'), 'LLAMA 3.2 COMMUNITY LICENSE AGREEMENT\n');
    await cp(blt, join(dir, 'run', 'checkpoint-000001'), { recursive: true });
    const { export: _, ...stages } = manifestOf({ files: ['model.safetensors', 'LICENSE.txt'] }).stages;
    const manifest: Manifest = { ...manifestOf({ license: 'llama3.2' }), stages };
    await writeFile(join(dir, 'byteify.json'), JSON.stringify(manifest));
    await writeFile(join(dir, 'recipe.yaml'), recipeToYaml(await recipeWith({ dtype: 'float32' })));
    return dir;
  }
  const violations = async (dir: string, exportedTo: string) => {
    const manifest = await readManifest(dir);
    const question = { folder: exportedTo, manifest, repository: 'me/Llama-3.2-x', acceptedLicense: null };
    return (await releaseViolations(question)).map(({ sentence }) => sentence);
  };
  const NOT_STATED = 'The source and the licence of the training text are not stated.';

  it('can be published, in place or from --out, once the sources of the text are stated, without new training', async () => {
    selfCheck.mockResolvedValue({ maxLogitDifference: 0, positions: 1 });
    const dir = await conversion();
    const inPlace = join(dir, 'blt');
    expect((await runCommand(exportCommand, { ...args, dir })).error).toBeNull();
    expect(await violations(dir, inPlace)).toEqual([NOT_STATED]);
    const { stages: before } = (await readManifest(dir))!;

    const stated = { ...args, dir, dataSource: [ODC_BY] };
    expect((await runCommand(exportCommand, stated)).error).toMatchObject({
      message: expect.stringContaining('recipe has changed since the stage "export" began'),
    });
    expect((await runCommand(exportCommand, { ...stated, restartFrom: 'export' })).error).toBeNull();
    expect(await violations(dir, inPlace)).toEqual([]);
    const { stages: after } = (await readManifest(dir))!;
    expect({ ...after, export: null }).toEqual({ ...before, export: null });

    const aside = join(folder(), 'Llama-mine');
    const { stdout, error } = await runCommand(exportCommand, { ...args, dir, out: aside }, { json: true });
    expect(error).toBeNull();
    // According to the recipe, which has contained the sources since then.
    expect(JSON.parse(stdout)).toMatchObject({ dtype: 'float32' });
    expect(await violations(dir, aside)).toEqual([]);
    expect(await readFile(join(aside, 'README.md'), 'utf8')).toContain('\n# Llama-mine\n');
  });

  it('is not redone for a recipe from before sources could be stated, whose digest has not changed', async () => {
    selfCheck.mockResolvedValue({ maxLogitDifference: 0, positions: 1 });
    const dir = await conversion();
    await runCommand(exportCommand, { ...args, dir });
    const digest = (await readManifest(dir))!.stages.export!.inputs.recipe;
    const { digestOf } = await import('../../src/fs/index.js');
    expect(digest).toBe(digestOf({ dtype: 'float32', max_shard_bytes: 5_000_000_000, language: ['en'] }));
  });
});

describe('--data-source', () => {
  const { parse = String } = exportCommand.options.find(({ flags }) => flags.startsWith('--data-source'))!;

  it('accepts a mapping', () => {
    expect(parse('{ name: A b, license: odc-by, language: [en, no] }')).toEqual({
      name: 'A b',
      license: 'odc-by',
      language: ['en', 'no'],
    });
  });

  it.each(['FineWeb', '[a]', '', '3'])('refuses %j', (text) => {
    expect(() => parse(text)).toThrow('must be a mapping such as');
  });

  it.each([
    [{ name: 'x' }, 'export.data_sources.0.license'],
    [{ name: 'x', license: 'mit', url: 'file:///home/me' }, 'export.data_sources.0.url'],
    [{ name: 'x', license: 'mit', hub_id: 'a/b/c' }, 'export.data_sources.0.hub_id'],
    [{ name: 'x', license: 'mit', language: ['English'] }, 'export.data_sources.0.language.0'],
    [{ name: 'x', license: 'mit', licence: 'mit' }, 'licence'],
  ])('names what is wrong in %j', async (source, key) => {
    const { error } = await runCommand(exportCommand, {
      ...args,
      dir: blt,
      out: join(folder(), 'out'),
      dataSource: [source],
    });
    expect(error).toMatchObject({ exitCode: 2, message: expect.stringContaining(key) });
  });
});
