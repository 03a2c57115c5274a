import { randomBytes } from 'node:crypto';
import { openAsBlob } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { watchedBlob } from '../../src/net/watched-blob.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();

it('a watched blob can be read again, and reports how far it was read each time', async () => {
  const path = join(folder(), 'file');
  const bytes = randomBytes(700_000);
  await writeFile(path, bytes);
  const seen: number[] = [];
  const watched = watchedBlob(await openAsBlob(path), (read) => seen.push(read));
  expect(watched.size).toBe(bytes.length);
  for (let time = 0; time < 2; time++) {
    const request = new Request('http://hub', { method: 'PUT', body: watched });
    expect(Buffer.compare(Buffer.from(await request.arrayBuffer()), bytes)).toBe(0);
  }
  expect(seen.filter((read) => read === 0)).toHaveLength(2);
  expect(seen.filter((read) => read === bytes.length)).toHaveLength(2);
  expect(seen.length).toBeGreaterThan(4);
});

it('a watched blob otherwise equals the original', async () => {
  const watched = watchedBlob(new Blob(['body of a request'], { type: 'text/plain' }), () => undefined);
  expect([watched.type, await watched.text(), await watched.slice(0, 4).text()]).toEqual([
    'text/plain',
    'body of a request',
    'body',
  ]);
  expect((await watched.arrayBuffer()).byteLength).toBe(17);
});
