import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { beforeEach, describe, expect, it } from 'vitest';
import { hashPaths, publishedPaths } from '../../src/hub/index.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const work = temporaryFolder();
const folder = () => join(work(), 'export');
const KNOWN = ['README.md', 'model.safetensors'];
const paths = (include: string[] = [], known = KNOWN) =>
  publishedPaths(folder(), { isKnown: (path) => known.includes(path), include });

beforeEach(async () => {
  await mkdir(folder());
  for (const name of KNOWN) await writeFile(join(folder(), name), name);
  await writeFile(join(work(), 'id_rsa'), 'PRIVATE KEY');
});

describe('the published files', () => {
  it('are the known and the included ones; hidden files are skipped unless they are named', async () => {
    await mkdir(join(folder(), 'figures/deep'), { recursive: true });
    await writeFile(join(folder(), 'figures/deep/a.png'), '');
    await writeFile(join(folder(), 'notes.txt'), '');
    await writeFile(join(folder(), '.byteify-output.json'), '{}');
    await mkdir(join(folder(), '.git'));
    await writeFile(join(folder(), '.git/config'), '');
    expect(await paths(['figures/', './notes.txt'])).toEqual([
      'README.md',
      'figures/deep/a.png',
      'model.safetensors',
      'notes.txt',
    ]);
    expect(await paths(['figures', 'notes.txt', '.git/config'])).toContain('.git/config');
  });

  it('must not include an unknown file, which is named', async () => {
    await writeFile(join(folder(), 'notes.txt'), '');
    await expect(paths()).rejects.toMatchObject({
      message: `${folder()} contains a file that does not belong to the export: notes.txt.`,
      hint: expect.stringContaining('--include notes.txt'),
    });
    await mkdir(join(folder(), 'a'));
    for (let i = 0; i < 6; i++) await writeFile(join(folder(), 'a', `${i}`), '');
    await expect(paths()).rejects.toThrow(
      'contains files that do not belong to the export: notes.txt, a/0, a/1, a/2, a/3 and 2 more.',
    );
  });

  it('must not include a pipe, even under a known name', async () => {
    await rm(join(folder(), 'README.md'));
    execFileSync('mkfifo', [join(folder(), 'README.md')]);
    await expect(paths()).rejects.toThrow('README.md');
  });

  it.each([
    ['/etc/passwd', 'outside'],
    ['../../no', 'missing'],
    ['..', 'the folder above'],
    ['.', 'the folder itself'],
    ['', 'nothing'],
    ['absent.txt', 'not there'],
    ['figures/../../id_rsa', 'outside by a detour'],
  ])('must not be named by --include %j: %s', async (include) => {
    await expect(paths([include])).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringContaining('--include'),
    });
  });
});

describe('a link', () => {
  const linked = async (target: string, name = 'README.md') => {
    await rm(join(folder(), name), { force: true });
    await symlink(target, join(folder(), name));
  };

  it('that leads out of the folder is refused, whether known, included or neither', async () => {
    await linked('../id_rsa');
    await expect(paths()).rejects.toThrow(/README\.md is a link to .*id_rsa, outside the folder\./);
    await linked(join(work(), 'id_rsa'), 'extra');
    await rm(join(folder(), 'README.md'));
    await expect(paths()).rejects.toThrow(/extra is a link to .*, outside the folder/);
    await expect(paths(['extra'])).rejects.toThrow(/extra is a link to .*, outside the folder/);
  });

  it('is followed to its target through links in the folder, and through linked folders', async () => {
    await linked('hop', 'README.md');
    await linked('../id_rsa', 'hop');
    await expect(paths(['hop'])).rejects.toThrow('outside the folder');
    await rm(join(folder(), 'hop'));
    await mkdir(join(folder(), 'a'));
    await symlink('../..', join(folder(), 'a/up'));
    await linked('a/up/id_rsa');
    await expect(paths(['a'])).rejects.toThrow('outside the folder');
  });

  it('to a folder is refused, inside and outside, even in a loop of links', async () => {
    await mkdir(join(work(), 'secrets'));
    await writeFile(join(work(), 'secrets/key'), '');
    await linked('../secrets', 'figures');
    await expect(paths(['figures'])).rejects.toThrow(/figures is a link to .*, outside the folder/);
    await linked('.', 'figures');
    await expect(paths(['figures'])).rejects.toThrow('figures is a link to a folder');
    await linked('figures', 'figures');
    await expect(paths(['figures'])).rejects.toThrow();
  });

  it('is refused if it dangles, and sent if it leads to a file of the folder', async () => {
    await linked('nowhere');
    await expect(paths()).rejects.toThrow('README.md is a link to nowhere, which does not exist');
    await linked('model.safetensors');
    expect(await paths()).toEqual(KNOWN);
    const [readme] = await hashPaths(folder(), ['README.md']);
    expect(await readme!.content.text()).toBe('model.safetensors');
  });
});

describe('a hashed file', () => {
  const SIZE = 2 ** 21 + 12_345;
  const bytes = Uint8Array.from({ length: SIZE }, (_, i) => (i * 7 + (i >> 11)) & 0xff);
  const path = () => join(folder(), 'model.safetensors');
  const hashed = async () => (await hashPaths(folder(), ['model.safetensors']))[0]!;
  const streamed = (blob: Blob) => buffer(blob.stream() as never);

  it('has the digests of its bytes, and is read as a whole and in slices', async () => {
    await writeFile(path(), bytes);
    const { sizeBytes, sha256, gitSha1, content } = await hashed();
    expect([sizeBytes, content.size]).toEqual([SIZE, SIZE]);
    expect(sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
    expect(gitSha1).toBe(createHash('sha1').update(`blob ${SIZE}\0`).update(bytes).digest('hex'));
    expect((await streamed(content)).equals(bytes)).toBe(true);
    for (const [start, end] of [
      [0, 512],
      [2 ** 20 - 3, 2 ** 20 + 5],
      [5, SIZE],
      [SIZE - 1, SIZE + 9],
      [9, 9],
      [SIZE, 3],
    ]) {
      const slice = content.slice(start, end);
      // Not toEqual, which walks megabytes element by element.
      expect(Buffer.from(await slice.arrayBuffer()).equals(bytes.slice(start, end))).toBe(true);
      expect((await streamed(slice)).equals(bytes.slice(start, end))).toBe(true);
    }
    expect(Buffer.from(await content.slice(100).slice(50, 60).arrayBuffer())).toEqual(
      Buffer.from(bytes.slice(150, 160)),
    );
  });

  it('yields no byte of a file that replaced it', async () => {
    await writeFile(path(), bytes);
    const { content } = await hashed();
    const other = bytes.slice();
    other[2 ** 20 + 7]! ^= 1;
    await writeFile(path(), other);
    expect((await content.slice(0, 10).arrayBuffer()).byteLength).toBe(10);
    await expect(content.slice(2 ** 20, 2 ** 20 + 1).arrayBuffer()).rejects.toThrow(
      'changed while it was being published',
    );
    await writeFile(path(), bytes.subarray(0, 9));
    await expect(content.arrayBuffer()).rejects.toThrow('changed while it was being published');
    await rm(path());
    await expect(streamed(content)).rejects.toThrow('changed while it was being published');
    await symlink(join(work(), 'id_rsa'), path());
    await expect(content.text()).rejects.toThrow('changed while it was being published');
  });

  it('is refused if it was replaced by a link before it was hashed', async () => {
    await rm(path());
    await symlink(join(work(), 'id_rsa'), path());
    await expect(hashed()).rejects.toThrow('now leads out of');
  });

  it('is no longer read when the signal is aborted', async () => {
    await writeFile(path(), bytes);
    const signal = AbortSignal.abort(new Error('stopped'));
    await expect(hashPaths(folder(), ['model.safetensors'], { signal })).rejects.toThrow('stopped');
  });
});
