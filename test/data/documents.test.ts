import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { documentsOf } from '../../src/data/documents.js';
import { BrokenFile } from '../../src/data/refusal.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();

/** The documents of a file with these contents; refusals of records as `line: reason`, of the file as `reason` or `line: reason`. */
async function read(name: string, contents: string | Uint8Array, textKey = 'text') {
  const path = join(folder(), name);
  await writeFile(path, contents);
  const documents: string[] = [];
  const refused: string[] = [];
  const told = (line: number | undefined, reason: string) => (line === undefined ? reason : `${line}: ${reason}`);
  let parts: Uint8Array[] = [];
  try {
    for await (const found of documentsOf({ kind: 'text', path, textKey, onStored: () => undefined })) {
      if ('refused' in found) {
        expect(found.refused.path).toBe(path);
        refused.push(told(found.refused.line, found.refused.reason));
        continue;
      }
      parts.push(found.bytes);
      if (!found.ends) continue;
      documents.push(Buffer.concat(parts).toString());
      parts = [];
    }
  } catch (error) {
    if (!(error instanceof BrokenFile)) throw error;
    return { documents, broken: told(error.refusal.line, error.refusal.reason), refused };
  }
  return { documents, refused };
}

const records = Array.from({ length: 5 }, (_, i) => ({
  id: i,
  text: `Page ${i} says "one"\nand two.`,
  meta: { a: [] },
}));
const texts = records.map(({ text }) => text);
const lines = records.map((record) => `${JSON.stringify(record)}\n`).join('');
const all = { documents: texts, refused: [] };

describe('JSON is recognised by its contents', () => {
  it.each(['a.jsonl', 'a.ndjson', 'a.json', 'a.txt', 'a', 'c4-train.00000-of-01024'])(
    'as lines under the name %s',
    async (name) => {
      expect(await read(name, lines)).toEqual(all);
      expect(await read(`${name}.gz`, gzipSync(lines))).toEqual(all);
      expect(await read(name, gzipSync(lines))).toEqual(all);
      expect(await read(`${name}.zst`, lines)).toEqual(all);
    },
  );

  it.each(['a.jsonl', 'a.json', 'a.txt'])(
    'as an array, or as objects over several lines, under the name %s',
    async (name) => {
      for (const space of [undefined, 1, '\t']) {
        expect(await read(name, JSON.stringify(records, null, space))).toEqual(all);
        expect(await read(name, records.map((record) => JSON.stringify(record, null, space)).join('\n'))).toEqual(all);
      }
      expect(await read(name, JSON.stringify(records[0]))).toEqual({ documents: [texts[0]], refused: [] });
    },
  );

  it('after a byte order mark, and with Windows line ends and blank lines', async () => {
    const strange = `\uFEFF\r\n\r\n${lines.replaceAll('\n', '\r\n\r\n')}`;
    expect(await read('a.jsonl', strange)).toEqual(all);
    expect(await read('a.json', strange)).toEqual(all);
    expect(await read('a.json', `\uFEFF${JSON.stringify(records)}`)).toEqual(all);
  });

  it('while other text stays text', async () => {
    for (const text of [
      '[link](https://example.org) and more\n',
      '[Chorus]\nla la\n',
      '{{Infobox}}\ntext\n',
      '{\\bf bold}\n',
      '{ "use strict"; f() }\n',
      '[1, 2, 3]\n',
      '"quoted"\n',
      'a,b\n1,"{""text"": 1}"\n',
    ])
      expect(await read('a.txt', text)).toEqual({ documents: [text], refused: [] });
    expect(await read('a.txt', '\uFEFFhello')).toEqual({ documents: ['hello'], refused: [] });
  });
});

describe('JSON that is refused is reported', () => {
  it('by line, if the other lines can be used', async () => {
    const bad = `{'text': 'a'}\n{"text": "b", "p": NaN}\n{"text": "c"\n{"text": ""}\n[1]\n\0\0\n${lines}{"text": "cut`;
    const { documents, refused } = await read('a.json', bad);
    expect(documents).toEqual(texts);
    expect(refused).toEqual([
      expect.stringMatching(/^1: it is not JSON: single quotes/),
      expect.stringMatching(/^2: it is not JSON: NaN/),
      expect.stringMatching(/^3: it is not JSON: it is truncated/),
      '4: the text under "text" is empty',
      '5: it is a list, not a JSON object',
      expect.stringMatching(/^6: it is not JSON: a zero byte/),
      '12: it is not JSON: it is truncated inside a string',
    ]);
  });

  it('as a whole file, with the line of the fault, if values span lines', async () => {
    const fault = await read('a.json', '[\n{"text": "a"},\n{"text": "b",\n "score": NaN}\n]');
    expect(fault).toEqual({
      documents: ['a'],
      refused: [],
      broken: expect.stringMatching(/^4: it is not JSON: NaN.* 11$/),
    });
    const cut = await read('a.json', JSON.stringify(records).slice(0, -1));
    expect(cut.broken).toBe('1: its JSON is truncated: a bracket or a string is still open at the end');
    const more = await read('a.json', `${JSON.stringify(records)}\n${lines}`);
    expect(more.broken).toBe('2: there is text after the end of its JSON array');
    expect((await read('a.json', '{\n  // a comment\n  "text": "a"\n}')).broken).toMatch(/^2: .* a comment.* 3$/);
  });

  it('with its keys, if the text key is missing', async () => {
    expect((await read('a.json', '{\n "version": 1,\n "data": []\n}')).refused).toEqual([
      '1: it has no key "text" (it has version, data)',
    ]);
    expect((await read('a.json', '["one", "two"]')).refused).toEqual([
      '1: it is a string, not a JSON object',
      '1: it is a string, not a JSON object',
    ]);
    expect(await read('a.json', '[]')).toMatchObject({ broken: 'it is a JSON array without elements' });
    expect(await read('a.json', ' \n')).toMatchObject({ broken: 'it is empty' });
    expect((await read('a.jsonl', '{"content": "x"}\n', 'content')).documents).toEqual(['x']);
  });
});

describe('a file that is not text', () => {
  it('is named by its format, also inside a compressed file', async () => {
    const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n';
    expect((await read('a.parquet', pointer)).broken).toMatch(/^it is a git-lfs pointer/);
    expect((await read('a.gz', gzipSync(gzipSync('a')))).broken).toMatch(
      /^inside the gzip compression, it is gzip data;/,
    );
    expect((await read('a.txt.gz', Buffer.from('%PDF-1.4'))).broken).toMatch(/^it is a PDF/);
    expect((await read('a.txt.gz', Buffer.from([1, 0, 2]))).broken).toBe(
      'it is named like gzip but does not contain gzip data',
    );
    expect((await read('a.txt', Buffer.from([0x61, 0, 2]))).broken).toMatch(/binary/);
  });

  it('is reported if it is a dangling link', async () => {
    await symlink('nothing', join(folder(), 'link'));
    const reading = documentsOf({
      kind: 'text',
      path: join(folder(), 'link'),
      textKey: 'text',
      onStored: () => undefined,
    }).next();
    await expect(reading).rejects.toMatchObject({
      refusal: { reason: expect.stringMatching(/^it is a link to nothing, which does not exist/) },
    });
  });
});

describe('reading', () => {
  it('passes on all stored bytes, including those after the last member', async () => {
    const stored = Buffer.concat([gzipSync('a'), gzipSync('b'), Buffer.alloc(3 << 20)]);
    await writeFile(join(folder(), 'a.gz'), stored);
    let bytes = 0;
    const onStored = (chunk: Uint8Array) => {
      bytes += chunk.length;
    };
    for await (const found of documentsOf({ kind: 'text', path: join(folder(), 'a.gz'), textKey: 'text', onStored }))
      expect(found).not.toHaveProperty('refused');
    expect(bytes).toBe(stored.length);
  });

  it('stops at the signal even if nothing is found for a long time', async () => {
    await writeFile(join(folder(), 'a.jsonl'), '\n'.repeat(8 << 20));
    const stop = new AbortController();
    const onStored = () => stop.abort(new Error('stopped'));
    const path = join(folder(), 'a.jsonl');
    const reading = documentsOf({ kind: 'text', path, textKey: 'text', onStored, signal: stop.signal }).next();
    await expect(reading).rejects.toThrow('stopped');
  });
});
