import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as zlib from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { type BuildStoreOptions, buildStore, openStore, type Split, textDomain } from '../../src/data/index.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();

const SETTINGS = { validationFraction: 0.3, seed: 1, textKey: 'text' };
const PARAGRAPHS = Array.from({ length: 20 }, (_, i) => `Paragraph ${i} says something of its own.\n`);
const lines = (texts: readonly string[], key = 'text') =>
  texts.map((text) => `${JSON.stringify({ [key]: text })}\n`).join('');

async function put(name: string, contents: string | Uint8Array): Promise<string> {
  const path = join(folder(), 'in', name);
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, contents);
  return path;
}

function build({
  paths = [join(folder(), 'in')],
  chunkBytes = 64,
  ...options
}: Partial<BuildStoreOptions> & { paths?: string[]; chunkBytes?: number } = {}) {
  const domains = [textDomain(paths, chunkBytes)];
  return buildStore({ ...SETTINGS, domains, out: join(folder(), 'data'), ...options });
}

async function textsOf(split: 'train' | 'validation' | 'both'): Promise<string[]> {
  const store = await openStore(join(folder(), 'data'));
  const read = async (split: Split) =>
    Promise.all(Array.from({ length: split.count }, async (_, i) => Buffer.from(await split.read(i)).toString()));
  const [train, validation] = [await read(store.train), await read(store.validation)];
  await store.close();
  return { train, validation, both: [...train, ...validation] }[split];
}

describe('text that is read', () => {
  it('can be larger than any buffer, and is cut without loss', async () => {
    const text = Array.from({ length: 120_000 }, (_, i) => `Line ${i}: größer, 東京タワー 🗼.\n`).join('');
    await put('large.txt', text);
    const manifest = await build({ chunkBytes: 50_000 });
    const bytes = Buffer.byteLength(text);
    expect(bytes).toBeGreaterThan(2 ** 22);
    expect(manifest.train.bytes + manifest.validation.bytes).toBe(bytes);
    expect(manifest.files).toEqual([
      {
        path: join(folder(), 'in/large.txt'),
        size_bytes: bytes,
        sha256: createHash('sha256').update(text).digest('hex'),
        documents: 1,
        bytes,
      },
    ]);
    const chunks = await textsOf('both');
    expect(chunks.every((chunk) => chunk.endsWith('\n') && text.includes(chunk))).toBe(true);
  });

  it('is recorded with its files and settings', async () => {
    const stored = zlib.gzipSync(lines(PARAGRAPHS, 'body'));
    await put('a.jsonl.gz', stored);
    const manifest = await build({ textKey: 'body' });
    expect(manifest).toMatchObject({
      seed: 1,
      domains: [{ name: 'text', kind: 'text', weight: null, piece_bytes: 64 }],
      validation_fraction: 0.3,
      text_key: 'body',
      refused_count: 0,
    });
    expect(manifest.files[0]).toMatchObject({
      size_bytes: stored.length,
      sha256: createHash('sha256').update(stored).digest('hex'),
      documents: 20,
    });
    expect(JSON.parse(await readFile(join(folder(), 'data/data.json'), 'utf8'))).toEqual(manifest);
  });

  it('can begin with a byte order mark, end without a newline, and have Windows line ends', async () => {
    await put('a.ndjson', `\uFEFF${JSON.stringify({ text: 'first' })}\r\n\r\n${JSON.stringify({ text: 'second' })}`);
    expect((await build()).refused).toEqual([]);
    expect((await textsOf('both')).sort()).toEqual(['first', 'second']);
  });

  it('is of every supported kind, each document once, without hidden files', async () => {
    await put('a.txt', PARAGRAPHS[5]!);
    await put('deep/b.md', PARAGRAPHS[6]!);
    await put('c.jsonl', `${lines(PARAGRAPHS.slice(0, 5))}\n\n`);
    await put('d.txt.gz', zlib.gzipSync(PARAGRAPHS[7]!));
    await put('e.json.gz', zlib.gzipSync(lines([PARAGRAPHS[8]!])));
    await put('copy-of-a.txt', PARAGRAPHS[5]!);
    await put('.hidden', 'not meant');
    await put('node_modules/x.md', 'not meant');
    await symlink(join(folder(), 'in'), join(folder(), 'in/deep/loop'));
    const manifest = await build();
    expect(manifest).toMatchObject({ refused: [], duplicates: 1 });
    expect(manifest.train.pieces + manifest.validation.pieces).toBe(9);
    expect(manifest.files.map(({ documents }) => documents).reduce((a, b) => a + b)).toBe(9);
  });

  it('counts equal files and equal lines as one document', async () => {
    await put('a.jsonl', lines([PARAGRAPHS[0]!, PARAGRAPHS[1]!, PARAGRAPHS[0]!]));
    await put('b.txt', PARAGRAPHS[1]!);
    const manifest = await build();
    expect(manifest.duplicates).toBe(2);
    expect(manifest.duplicate_files).toEqual([
      { path: join(folder(), 'in/a.jsonl'), documents: 1 },
      { path: join(folder(), 'in/b.txt'), documents: 1 },
    ]);
    // The second file is listed too: its digest tells later whether it has changed.
    expect(manifest.files.map(({ documents }) => documents)).toEqual([2, 0]);
    expect((await textsOf('both')).sort()).toEqual(PARAGRAPHS.slice(0, 2));
  });
});

describe('text that is refused', () => {
  it('is all of a truncated archive, whose documents are accepted if they occur again in a valid file', async () => {
    const whole = zlib.gzipSync(
      lines(Array.from({ length: 3000 }, (_, i) => `${createHash('sha1').update(`${i}`).digest('hex')}`)),
    );
    await put('a.jsonl.gz', whole.subarray(0, whole.length / 2));
    await put('b.jsonl.gz', whole);
    const manifest = await build();
    expect(manifest.refused).toEqual([{ path: join(folder(), 'in/a.jsonl.gz'), reason: 'its gzip data is truncated' }]);
    expect(manifest).toMatchObject({ duplicates: 0, files: [{ documents: 3000 }] });
    expect(new Set(await textsOf('both')).size).toBe(3000);
  });

  it('is a file that turns out to be binary only near its end', async () => {
    const late = Buffer.concat([Buffer.from('fine\n'.repeat(600_000)), Buffer.from([0xff]), Buffer.from('fine\n')]);
    await put('late.txt', late);
    await put('nul.txt', 'a\0b');
    await put('cut.txt', Buffer.from('ü').subarray(0, 1));
    await put('good.txt', PARAGRAPHS.join(''));
    const manifest = await build();
    expect(manifest.refused.map(({ path, reason }) => [path.split('/').at(-1), reason])).toEqual([
      ['cut.txt', 'it is not valid UTF-8: its last character is cut off'],
      ['late.txt', 'it is not valid UTF-8'],
      ['nul.txt', 'it is binary (it contains a zero byte)'],
    ]);
    expect((await textsOf('both')).join('').length).toBe(PARAGRAPHS.join('').length);
  });

  it('is reported with the keys that the line has instead', async () => {
    await put('a.jsonl', `${JSON.stringify({ title: 'x', id: 1 })}\n[1]\n{}\n"text"\nnull\n{"text":7}\n`);
    await put('b.txt', PARAGRAPHS.join(''));
    expect((await build()).refused.map(({ line, reason }) => `${line}: ${reason}`)).toEqual([
      '1: it has no key "text" (it has title, id)',
      '2: it is a list, not a JSON object',
      '3: it has no key "text" (the object is empty)',
      '4: it is a string, not a JSON object',
      '5: it is null, not a JSON object',
      '6: the value of "text" is a number, not a string',
    ]);
  });

  it('is a file of empty lines, a dangling link, a link to itself, or a pipe', async () => {
    await put('a.txt', PARAGRAPHS.join(''));
    await put('blank.jsonl', '\n \n\n');
    await symlink('nothing', join(folder(), 'in/dangling.txt'));
    await symlink('self.txt', join(folder(), 'in/self.txt'));
    execFileSync('mkfifo', [join(folder(), 'in/pipe.txt')]);
    expect((await build()).refused.map(({ path, reason }) => [path.split('/').at(-1), reason])).toEqual([
      ['blank.jsonl', 'it is empty'],
      ['dangling.txt', 'it is a link to nothing, which does not exist'],
      ['pipe.txt', 'it is not a regular file'],
      ['self.txt', 'it cannot be read (ELOOP)'],
    ]);
  });

  it('is listed up to a limit, and counted beyond it', async () => {
    await put('a.jsonl', 'x\n'.repeat(12_000));
    await put('b.txt', PARAGRAPHS.join(''));
    const manifest = await build();
    expect(manifest.refused.length).toBe(10_000);
    expect(manifest.refused_count).toBe(12_000);
  });

  it('leaves nothing behind if a path does not exist', async () => {
    await expect(build({ paths: [join(folder(), 'nowhere')] })).rejects.toThrow(/nowhere does not exist/);
    await symlink('nothing', join(folder(), 'link'));
    await expect(build({ paths: [join(folder(), 'link')] })).rejects.toThrow(
      /link leads to nothing, which does not exist/,
    );
    expect(await readdir(folder())).toEqual(['link']);
  });

  it('is explained if no text remains', async () => {
    await put('a.jsonl', 'x\ny\n');
    await expect(build()).rejects.toThrow(
      /^--data contains no usable text \(.*a\.jsonl:1: it is not JSON: an unquoted word, at character 1, and 1 more\)\.$/,
    );
    await mkdir(join(folder(), 'hollow'));
    await expect(build({ paths: [join(folder(), 'hollow')] })).rejects.toThrow(
      'The folders that --data names contain no files.',
    );
    expect(await readdir(folder())).toEqual(['hollow', 'in']);
  });
});

describe('the splits', () => {
  it('both get a document chunk if there are two, whatever the order of the files', async () => {
    for (const validationFraction of [1e-9, 1 - 1e-9]) {
      const small: string[][] = [];
      for (const order of [PARAGRAPHS, [...PARAGRAPHS].reverse()]) {
        await put('a.jsonl', lines(order));
        const manifest = await build({ validationFraction });
        const split = validationFraction < 0.5 ? 'validation' : 'train';
        expect(manifest[split].pieces).toBe(1);
        small.push(await textsOf(split));
        expect((await textsOf('both')).sort()).toEqual([...PARAGRAPHS].sort());
        expect((await readdir(join(folder(), 'data'))).sort()).toEqual([
          'data.json',
          'train.bin',
          'train.ends',
          'validation.bin',
          'validation.ends',
        ]);
      }
      expect(small[0]).toEqual(small[1]);
    }
  });

  it('get a document chunk by its content, not by its position', async () => {
    const held: string[][] = [];
    for (const order of [PARAGRAPHS, [...PARAGRAPHS].reverse()]) {
      await Promise.all(order.map((line, i) => put(`${i}.txt`, line)));
      await build();
      held.push((await textsOf('validation')).sort());
    }
    expect(held[1]).toEqual(held[0]);
    expect(held[0]!.length).toBeGreaterThan(0);
  });

  it('cannot both be filled from a single document chunk', async () => {
    await put('a.txt', 'one piece');
    await expect(build()).rejects.toMatchObject({
      message: expect.stringContaining('too little text'),
      hint: expect.stringContaining('data.max_document_bytes'),
    });
  });
});

describe('a store', () => {
  it('that was interrupted does not exist, and the previous one remains', async () => {
    await put('a.jsonl', lines(PARAGRAPHS));
    await build();
    const before = await readFile(join(folder(), 'data/data.json'), 'utf8');
    const stop = new AbortController();
    let events = 0;
    const onProgress = () => {
      if (++events === 5) stop.abort(new Error('stopped'));
    };
    await expect(build({ seed: 2, signal: stop.signal, onProgress })).rejects.toThrow('stopped');
    expect(await readFile(join(folder(), 'data/data.json'), 'utf8')).toBe(before);
    expect((await readdir(folder())).sort()).toEqual(['data', 'in']);
  });

  it.each(['train.ends', 'validation.bin', 'data.json'])('whose %s is truncated is refused', async (name) => {
    await put('a.jsonl', lines(PARAGRAPHS));
    await build();
    const path = join(folder(), 'data', name);
    await truncate(path, (await readFile(path)).length - 8);
    await expect(openStore(join(folder(), 'data'))).rejects.toMatchObject({
      message: expect.stringContaining(path),
      hint: 'Remove the data folder and run again with --data.',
    });
  });

  it.each<[string, (path: string) => Promise<unknown>, RegExp]>([
    ['data.json', (path) => writeFile(path, '{}'), /data\.json is not the record of a text store: files: /],
    ['data.json', (path) => rm(path), /data\.json is missing/],
    ['train.ends', (path) => truncate(path, 5), /train\.ends is truncated: 5 bytes/],
    [
      'train.ends',
      (path) => writeFile(path, new Float64Array([9, 4])),
      /train\.ends is damaged: document chunk 1 would end at 4, after 9/,
    ],
    ['train.ends', (path) => writeFile(path, new Float64Array([Number.NaN])), /document chunk 0 would end at NaN/],
    ['train.ends', (path) => writeFile(path, new Float64Array([-1])), /document chunk 0 would end at -1/],
    [
      'train.ends',
      (path) => writeFile(path, new Float64Array([1e15])),
      /train\.bin has \d+ bytes, but .* says 1000000000000000/,
    ],
    ['validation.bin', (path) => rm(path), /validation\.bin does not exist/],
  ])('whose %s is damaged is refused with the reason', async (name, damage, message) => {
    await put('a.jsonl', lines(PARAGRAPHS));
    await build();
    await damage(join(folder(), 'data', name));
    await expect(openStore(join(folder(), 'data'))).rejects.toThrow(message);
  });
});
