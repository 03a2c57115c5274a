import { readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSources, readPlaces } from '../../src/data/places.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();
const FILES = 300;

async function sources(): Promise<string[]> {
  const paths = Array.from({ length: FILES }, (_, i) => join(folder(), String(i)));
  await Promise.all(paths.map((path, i) => writeFile(path, `file ${i}, ${'x'.repeat(50)}`)));
  return paths;
}

describe('the files in which text stays', () => {
  it('are read in any order and at the same time, and few of them stay open', async () => {
    const files = openSources(await sources(), 'Restore it.');
    const before = readdirSync('/dev/fd').length;
    const order = Array.from({ length: 3 * FILES }, (_, i) => ((i * 37) % FILES) + 1);
    const read = await Promise.all(order.map((source) => files.read(source, 5, 3)));
    expect(read.map((bytes) => Buffer.from(bytes).toString())).toEqual(order.map((one) => `${one - 1}, x`.slice(0, 3)));
    expect(readdirSync('/dev/fd').length - before).toBeLessThan(150);
    await files.close();
    expect(readdirSync('/dev/fd').length).toBeLessThanOrEqual(before);
  });

  it('are named when they are gone or too short', async () => {
    const [first = ''] = await sources();
    const missing = join(folder(), 'missing');
    const files = openSources([first, missing], 'Restore it.');
    await expect(files.read(2, 0, 1)).rejects.toThrow(missing);
    await expect(files.read(1, 50, 100)).rejects.toThrow(`${first} ended`);
    await files.close();
  });
});

it('places that do not exist are refused', async () => {
  const path = join(folder(), 'places');
  const write = (...values: number[]) => writeFile(path, new Uint8Array(Float64Array.from(values).buffer));
  await write(0, 7, 2, 9);
  const places = await readPlaces(path, 2, 'hint');
  expect([places.count, places.of(0), places.of(1)]).toEqual([2, { source: 0, offset: 7 }, { source: 2, offset: 9 }]);
  await expect(readPlaces(path, 1, 'hint')).rejects.toThrow(`${path} is damaged`);
  await write(0, 7, 1);
  await expect(readPlaces(path, 2, 'hint')).rejects.toThrow(`${path} is damaged`);
});
