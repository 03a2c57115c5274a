import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parquetWriteFile } from 'hyparquet-writer';
import { describe, expect, it } from 'vitest';
import { documentsOf } from '../../src/data/documents.js';
import { BrokenFile } from '../../src/data/refusal.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();

async function read(path: string, textKey = 'text') {
  const documents: string[] = [];
  const refused: string[] = [];
  const hash = createHash('sha256');
  const onStored = (chunk: Uint8Array) => void hash.update(chunk);
  for await (const found of documentsOf({ path, kind: 'text', textKey, onStored })) {
    if ('refused' in found) refused.push(`${found.refused.line}: ${found.refused.reason}`);
    else documents.push(Buffer.from(found.bytes).toString());
  }
  return { documents, refused, sha256: hash.digest('hex') };
}

/** A file of several row groups, with a column beside the text. */
function write(name: string, texts: readonly (string | null)[]): string {
  const path = join(folder(), name);
  parquetWriteFile({
    filename: path,
    columnData: [
      { name: 'id', data: texts.map((_, i) => i), type: 'INT32' },
      { name: 'text', data: [...texts], type: 'STRING', nullable: true },
    ],
    rowGroupSize: 10,
  });
  return path;
}

const reasonOf = (path: string, textKey?: string) =>
  read(path, textKey).then(
    () => null,
    (error: unknown) => (error instanceof BrokenFile ? error.refusal.reason : error),
  );

describe('a Parquet file', () => {
  const texts = Array.from({ length: 35 }, (_, i) => `document ${i} é 東`);

  it('has one document per row, over all row groups, and a digest of the whole file', async () => {
    const path = write('a.bin', texts);
    const { documents, refused, sha256 } = await read(path);
    expect(documents).toEqual(texts);
    expect(refused).toEqual([]);
    expect(sha256).toBe(createHash('sha256').update(readFileSync(path)).digest('hex'));
  });

  it('leaves out rows without text, by their number', async () => {
    const path = write('b.parquet', ['one', null, '', 'four']);
    expect(await read(path)).toMatchObject({
      documents: ['one', 'four'],
      refused: ['2: the value of "text" is null, not a string', '3: the text under "text" is empty'],
    });
    expect((await read(path, 'id')).refused[0]).toBe('1: the value of "id" is a number, not a string');
  });

  it('is refused without the column, which names those that it has', async () => {
    expect(await reasonOf(write('c.parquet', texts), 'content')).toBe('it has no column "content" (it has id, text)');
  });

  it('is refused when it is damaged', async () => {
    const path = write('d.parquet', texts);
    writeFileSync(path, readFileSync(path).subarray(0, -100));
    expect(await reasonOf(path)).toMatch(/^its Parquet data cannot be read \(/);
  });
});
