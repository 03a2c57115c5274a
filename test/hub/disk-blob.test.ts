import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { diskBlob } from '../../src/hub/publish/disk-blob.js';
import { watchedBlob } from '../../src/hub/watched-blob.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();
const bytes = randomBytes(700_000);

async function blobs(): Promise<[disk: Blob, memory: Blob]> {
  const path = join(folder(), 'file');
  await writeFile(path, bytes);
  return [diskBlob(path, bytes.length), new Blob([bytes])];
}

const contents = async (blob: Blob) => Buffer.from(await blob.arrayBuffer()).toString('hex');

it.each<[start?: number, end?: number]>([
  [],
  [0, 512],
  [1, 1],
  [400_000],
  [100, 400_000],
  [699_999, 800_000],
  [900_000],
  [-10],
  [-20, -10],
])('slices as any Blob: %s to %s', async (...range) => {
  const [disk, memory] = (await blobs()).map((blob) => blob.slice(...range)) as [Blob, Blob];
  expect(disk.size).toBe(memory.size);
  expect(await contents(disk)).toBe(await contents(memory));
  expect(await contents(disk.slice(1, 300_000))).toBe(await contents(memory.slice(1, 300_000)));
  expect(await disk.slice(0, 3).text()).toBe(await memory.slice(0, 3).text());
});

it('is a body that can be read again, and tells how far it was read each time', async () => {
  const [disk] = await blobs();
  const seen: number[] = [];
  const watched = watchedBlob(disk, (read) => seen.push(read));
  for (let time = 0; time < 2; time++) {
    const request = new Request('http://hub', { method: 'PUT', body: watched });
    expect(Buffer.compare(Buffer.from(await request.arrayBuffer()), bytes)).toBe(0);
  }
  expect(seen.filter((read) => read === 0)).toHaveLength(2);
  expect(seen.filter((read) => read === bytes.length)).toHaveLength(2);
});

it('does not read ahead of its reader', async () => {
  const [disk] = await blobs();
  const reader = disk.stream().getReader();
  await reader.read();
  // What is written behind the first pieces now is what is read later.
  await writeFile(join(folder(), 'file'), Buffer.alloc(bytes.length));
  let last = 1;
  for (let next = await reader.read(); !next.done; next = await reader.read()) last = next.value.at(-1)!;
  expect(last).toBe(0);
});
