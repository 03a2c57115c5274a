import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type FetchOptions, fetchWheel } from '../../../src/engine/setup/fetch-wheel.js';
import { partPath } from '../../../src/net/index.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { startWheelIndex, type WheelIndex } from '../../support/wheel-index.js';

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
    const onProgress = () => stopped.abort(new Error('enough'));
    await expect(fetched({ onProgress, signal: stopped.signal })).rejects.toThrow('enough');
    const { size } = await stat(partPath(target()));
    expect(size).toBeGreaterThan(0);
    await fetched();
    await isWhole();
    expect(index.ranges).toEqual([null, `bytes=${size}-`]);
  });

  it('is begun again from a server without ranges', async () => {
    await start({ ranges: false, faults: [{ kind: 'cut', afterBytes: 500_000 }] });
    await fetched();
    await isWhole();
    expect(index.ranges).toEqual([null, 'bytes=500000-']);
  });

  it('is asked for again after growing pauses while the server is busy', async () => {
    const busy = { kind: 'status', status: 503 } as const;
    await start({ faults: [busy, busy, busy, busy] });
    const waits = await fetched();
    await isWhole();
    waits.forEach((ms, i) => {
      expect(ms).toBeGreaterThanOrEqual(250 * 2 ** i);
      expect(ms).toBeLessThanOrEqual(500 * 2 ** i);
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
    // Two attempts with six requests each.
    expect(await fetched()).toHaveLength(11);
    await isWhole();
    await start();
  });

  it('with other bytes is not taken from pip either', async () => {
    await start({ faults: [{ kind: 'status', status: 401 }], pipDownload: true, sha256: '0'.repeat(64) });
    await expect(fetched()).rejects.toThrow('does not have the pinned sha256');
    expect(await readdir(join(folder(), 'downloads'))).toEqual([]);
  });

  it('that neither brings is refused with both ways named', async () => {
    await start({ faults: [{ kind: 'status', status: 403 }] });
    await expect(fetched()).rejects.toMatchObject({
      message: 'stub could not be downloaded: the index answered 403.',
      hint: expect.stringContaining('pip could not download it either'),
    });
  });

  it('that breaks off again and again keeps what came', async () => {
    await start({
      faults: Array.from({ length: 3 }, (_, i) => ({ kind: 'cut' as const, afterBytes: i === 0 ? 500_000 : 0 })),
    });
    await expect(fetched()).rejects.toMatchObject({
      message: expect.stringMatching(/^The download of stub 1\.0 was interrupted repeatedly: /),
      hint: 'Run the same command again to resume it.',
    });
    expect(await index.pipCalls()).toEqual(['install']);
    await fetched();
    await isWhole();
    // The last one is of the next call.
    expect(index.ranges).toEqual([null, ...Array.from({ length: 3 }, () => 'bytes=500000-')]);
  });

  it('that continues the part of another file is downloaded again', async () => {
    await start();
    await mkdir(join(folder(), 'downloads'));
    await writeFile(partPath(target()), randomBytes(500_000));
    await fetched();
    await isWhole();
    expect(index.ranges).toEqual(['bytes=500000-', null]);
  });

  it('with other bytes is removed', async () => {
    await start({ sha256: '0'.repeat(64) });
    await expect(fetched()).rejects.toMatchObject({
      message: expect.stringContaining('does not have the pinned sha256'),
    });
    expect(await readdir(join(folder(), 'downloads'))).toEqual([]);
    expect(await index.pipCalls()).toEqual(['install']);
  });
});
