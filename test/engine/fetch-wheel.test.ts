import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type FetchOptions, fetchWheel } from '../../src/engine/fetch-wheel.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { startWheelIndex, type WheelIndex } from '../support/wheel-index.js';

const folder = temporaryFolder();
let index: WheelIndex;
afterEach(() => index.close());

const start = async (options: Parameters<typeof startWheelIndex>[1] = {}) => {
  index = await startWheelIndex(join(folder(), 'index'), options);
};
const target = () => join(folder(), 'downloads', 'stub.whl');

/** Does not wait, but records how long it would have waited. */
async function fetched(options: FetchOptions = {}): Promise<number[]> {
  const waits: number[] = [];
  const sleep = async (ms: number) => void waits.push(ms);
  await fetchWheel(index.wheel, target(), index.python, { sleep, ...options });
  return waits;
}

const isWhole = async () =>
  expect(
    createHash('sha256')
      .update(await readFile(target()))
      .digest('hex'),
  ).toBe(index.wheel.sha256);

describe('a wheel', () => {
  it('comes in one request, is verified, and is not fetched again', async () => {
    await start();
    const seen: number[] = [];
    expect(await fetched({ onProgress: ({ doneBytes }) => seen.push(doneBytes) })).toEqual([]);
    await isWhole();
    expect(seen.at(-1)).toBe(index.wheel.sizeBytes);
    await fetched();
    expect(index.ranges).toEqual([null]);
    expect(await index.pipCalls()).toEqual(['install']);
    expect(await readdir(join(folder(), 'downloads'))).toEqual(['stub.whl']);
  });

  it('goes on by range after a cut, and in a later process', async () => {
    await start({ faults: [{ kind: 'cut', afterBytes: 500_000 }] });
    const stopped = new AbortController();
    const sleep = async () => stopped.abort(new Error('enough'));
    await expect(fetched({ sleep, signal: stopped.signal })).rejects.toThrow();
    const { size } = await stat(`${target()}.partial`);
    expect(size).toBeGreaterThan(0);
    await fetched();
    await isWhole();
    expect(index.ranges).toEqual([null, `bytes=${size}-`]);
  });

  it('is begun again from a server without ranges', async () => {
    await start({ ranges: false, faults: [{ kind: 'cut', afterBytes: 500_000 }] });
    expect(await fetched()).toHaveLength(1);
    await isWhole();
    expect(index.ranges.length).toBe(2);
  });

  it('is asked for again after growing pauses while the server is busy', async () => {
    const busy = { kind: 'status', status: 503 } as const;
    await start({ faults: [busy, busy, busy, busy] });
    const waits = await fetched();
    await isWhole();
    waits.forEach((ms, i) => {
      expect(ms).toBeGreaterThanOrEqual(500 * 2 ** i);
      expect(ms).toBeLessThanOrEqual(1000 * 2 ** i);
    });
    expect(waits).toHaveLength(4);
  });

  it('comes by pip, at once, where the index wants credentials', async () => {
    await start({ faults: [{ kind: 'status', status: 401 }], pipDownload: true });
    expect(await fetched()).toEqual([]);
    await isWhole();
    expect(await index.pipCalls()).toEqual(['install', 'download']);
    expect(await readdir(join(folder(), 'downloads'))).toEqual(['stub.whl']);
  });

  it('comes by pip where no connection can be made', async () => {
    await start({ pipDownload: true });
    await index.close();
    expect(await fetched()).toHaveLength(4);
    await isWhole();
    await start();
  });

  it('that neither brings is refused with both ways named', async () => {
    await start({ faults: [{ kind: 'status', status: 403 }] });
    await expect(fetched()).rejects.toMatchObject({
      message: 'stub could not be downloaded: the index answered 403.',
      hint: expect.stringContaining('pip could not either'),
    });
  });

  it('that breaks off again and again keeps what came', async () => {
    await start({
      faults: Array.from({ length: 6 }, (_, i) => ({ kind: 'cut' as const, afterBytes: i === 0 ? 500_000 : 0 })),
    });
    await expect(fetched()).rejects.toMatchObject({ hint: expect.stringContaining('resumes where it stopped') });
    expect(await index.pipCalls()).toEqual(['install']);
    await fetched();
    await isWhole();
  });

  it('with other bytes is removed', async () => {
    await start({ sha256: '0'.repeat(64) });
    await expect(fetched()).rejects.toMatchObject({
      message: expect.stringContaining('does not have the pinned sha256'),
    });
    expect(await readdir(join(folder(), 'downloads'))).toEqual([]);
  });
});
