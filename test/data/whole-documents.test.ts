import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { type Refusal, wholeDocuments } from '../../src/data/index.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();

const put = (name: string, content: string | Uint8Array) => writeFile(join(folder(), name), content);

async function read(options: { paths?: string[]; maxBytes?: number; textKey?: string } = {}) {
  const refused: Refusal[] = [];
  const documents: string[] = [];
  const { paths = [folder()], maxBytes = 1e9, textKey = 'text' } = options;
  const onRefused = (refusal: Refusal) => refused.push(refusal);
  for await (const document of await wholeDocuments({ paths, maxBytes, textKey, onRefused }))
    documents.push(new TextDecoder('utf-8', { fatal: true }).decode(document));
  return { documents, refused };
}

describe('whole documents', () => {
  it('are files and lines in order, whole even if they are long', async () => {
    const long = 'ça continue. '.repeat(100_000);
    await put('a.txt', long);
    await put('b.jsonl', '{"text":"one"}\n\n{"text":"two\\nlines"}\n');
    await put('c.txt.gz', gzipSync('packed'));
    expect(await read()).toEqual({ documents: [long, 'one', 'two\nlines', 'packed'], refused: [] });
  });

  it('end between characters once enough has been read', async () => {
    await put('a.txt', 'abc');
    await put('b.txt', 'é€x');
    await put('c.txt', 'never');
    expect((await read({ maxBytes: 5 })).documents).toEqual(['abc', 'é']);
    expect((await read({ maxBytes: 7 })).documents).toEqual(['abc', 'é']);
    expect((await read({ maxBytes: 8 })).documents).toEqual(['abc', 'é€']);
    expect((await read({ maxBytes: 3 })).documents).toEqual(['abc']);
  });

  it('are reported if they are left out', async () => {
    await put('a.jsonl', '{"text":"one"}\n{"body":"two"}\nnot json\n{"text":""}\n');
    await put('b.bin', Uint8Array.of(1, 0, 2));
    await put('c.txt', '');
    await put('d.txt', 'here');
    const { documents, refused } = await read();
    expect(documents).toEqual(['one', 'here']);
    expect(refused.map(({ path, line }) => [path.slice(folder().length + 1), line])).toEqual([
      ['a.jsonl', 2],
      ['a.jsonl', 3],
      ['a.jsonl', 4],
      ['b.bin', undefined],
      ['c.txt', undefined],
    ]);
    expect((await read({ textKey: 'body' })).documents).toEqual(['two', 'here']);
  });

  it('are required to exist', async () => {
    await expect(read({ paths: [join(folder(), 'nowhere')] })).rejects.toThrow('does not exist');
  });
});
