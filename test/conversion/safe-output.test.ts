import { mkdir, readdir, realpath, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { claimOutput, markOutput, OUTPUT_RECORD, type OutputKind } from '../../src/conversion/index.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();
const at = (...parts: string[]) => join(folder(), ...parts);
const claim = (out: string, source = at('source'), kind: OutputKind = 'export') => claimOutput(out, { kind, source });

beforeEach(async () => {
  await mkdir(at('source'));
  await writeFile(at('source', 'model.safetensors'), 'weights');
});

/** An output as the verb writes it. */
async function written(name: string, kind: OutputKind = 'export'): Promise<string> {
  await mkdir(at(name));
  await writeFile(at(name, 'config.json'), '{}');
  await markOutput(at(name), kind);
  return at(name);
}

describe('an --out may be', () => {
  it('a new folder at any depth, or an empty one, or a link to one', async () => {
    expect(await claim(at('a', 'b'))).toBe(join(await realpath(folder()), 'a', 'b'));
    await mkdir(at('empty'));
    await symlink('empty', at('link'));
    expect(await claim(at('empty'))).toBe(await realpath(at('empty')));
    expect(await claim(at('link'))).toBe(await realpath(at('empty')));
    expect((await readdir(folder())).sort()).toEqual(['empty', 'link', 'source']);
  });

  it('output of the same verb, also beside the source', async () => {
    expect(await claim(await written('blt'))).toBe(await realpath(at('blt')));
    expect(await claim(at('blt'), folder())).toBe(await realpath(at('blt')));
    expect(await claim(at('source', 'blt'))).toContain('blt');
  });

  it('a folder in a conversion, under a name that no stage writes', async () => {
    await writeFile(at('byteify.json'), '{}');
    expect(await claim(at('fp32'))).toContain('fp32');
  });
});

describe('an --out is refused that', () => {
  const refused = (out: string, message: string, source?: string) =>
    expect(claim(out, source)).rejects.toMatchObject({
      message: expect.stringContaining(message),
      hint: expect.stringContaining('folder'),
      exitCode: 2,
    });

  it('is a file, or is below one', async () => {
    await writeFile(at('file'), '');
    await refused(at('file'), 'is a file.');
    await refused(at('file', 'blt'), 'one of its parents is a file');
  });

  it('contains anything unknown', async () => {
    await mkdir(at('home'));
    await writeFile(at('home', '.profile'), '');
    await refused(at('home'), 'is not empty');
  });

  it.each<[string, () => Promise<void>]>([
    ['more', () => writeFile(at('blt', 'notes.txt'), '')],
    ['one more folder', async () => void (await mkdir(at('blt', 'runs')))],
    ['other bytes', () => writeFile(at('blt', 'config.json'), '{"a": 1}')],
    ['equally many bytes, written later', () => utimes(at('blt', 'config.json'), 1e9, 1e9)],
    ['an invalid mark', () => writeFile(at('blt', OUTPUT_RECORD), '{')],
    ['the mark of another verb', () => markOutput(at('blt'), 'remap')],
  ])('was written by the same verb and contains %s', async (_what, change) => {
    await written('blt');
    await change();
    await refused(at('blt'), 'is not empty');
  });

  it('is or contains the source, even if it is marked or reached by a link', async () => {
    const own = await written('blt');
    await refused(own, 'is the input', own);
    await symlink('blt', at('alias'));
    await refused(own, 'is the input', at('alias'));
    await refused(folder(), 'contains the input');
    // As an import writes a conversion's source.
    await mkdir(at('links'));
    await symlink(join('..', 'blt', 'config.json'), at('links', 'config.json'));
    await refused(own, 'contains the input', at('links'));
  });

  it('is the working directory, or contains it', async () => {
    await refused('.', 'is the current working directory');
    await refused('..', 'current working directory', at('nowhere'));
  });

  it('belongs to a stage of a conversion', async () => {
    await writeFile(at('byteify.json'), '{}');
    for (const name of ['source', 'init', 'patcher', 'run', 'blt', 'data']) {
      await refused(at(name, 'x'), 'lies in the conversion', at('elsewhere'));
    }
    await refused(at('blt'), 'lies in the conversion', at('run'));
  });
});
