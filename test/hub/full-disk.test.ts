import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { readdir, readFile, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type DownloadOptions, downloadModel } from '../../src/hub/index.js';
import { type Hub, startHub } from '../support/hub-server.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const DISK_BYTES = 8 * 2 ** 20;
const WEIGHTS_BYTES = 4 * 2 ** 20;

const folder = temporaryFolder();
let hub: Hub | null = null;
let mounted: string | null = null;

afterEach(async () => {
  await hub?.close();
  hub = null;
  if (mounted !== null) execFileSync('umount', ['--lazy', mounted]);
  mounted = null;
});

/** A disk of 8 MiB; null where this process may not make one. */
function smallDisk(at: string): string | null {
  mkdirSync(at, { recursive: true });
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', at], { stdio: 'ignore' });
  } catch {
    return null;
  }
  mounted = at;
  return at;
}

async function serve(weights: Uint8Array): Promise<(options?: DownloadOptions) => Promise<string>> {
  hub = await startHub({ repos: { 'org/name': { 'config.json': '{}', 'model.safetensors': weights } } });
  const environment = { endpoint: hub.url, cacheDir: join(folder(), 'disk'), token: null, offline: false };
  return async (options) => (await downloadModel('org/name', { environment, ...options })).folder;
}

describe('a disk', () => {
  it('without enough space is reported before anything is downloaded', async ({ skip }) => {
    if (smallDisk(join(folder(), 'disk')) === null) skip('needs the right to mount');
    const download = await serve(Buffer.alloc(DISK_BYTES));
    await expect(download()).rejects.toThrow(/^The download takes 8\.39 MB and .* has 8\.3\d MB free\.$/);
    expect(hub!.contentRequests().filter(({ url }) => url.includes('safetensors'))).toEqual([]);
  });

  it('that fills up meanwhile is reported in one sentence, and the download resumes when there is space again', async ({
    skip,
  }) => {
    const disk = smallDisk(join(folder(), 'disk'));
    if (disk === null) return skip('needs the right to mount');
    const weights = randomBytes(WEIGHTS_BYTES);
    const download = await serve(weights);
    const filler = join(disk, 'filler');
    let filled = false;
    const fill = async () => {
      const { bavail, bsize } = await statfs(disk);
      await writeFile(filler, Buffer.alloc(bavail * bsize - 2 ** 20));
    };
    const fetching: typeof fetch = async (input, init) => {
      if (String(input).includes('safetensors') && !filled) {
        filled = true;
        await fill();
      }
      return fetch(input, init);
    };
    const error: unknown = await download({ fetch: fetching }).catch((thrown) => thrown);
    expect(error).toMatchObject({
      name: 'ByteifyError',
      message: expect.stringMatching(/^The disk is full: .*\.incomplete could not be written\.$/),
      hint: expect.stringContaining('resumes where it stopped'),
    });
    const blobs = join(disk, 'models--org--name', 'blobs');
    const part = (await readdir(blobs)).find((name) => name.endsWith('.incomplete'))!;
    const { size } = await stat(join(blobs, part));
    expect(size).toBeGreaterThan(2 ** 19);
    await rm(filler);
    const before = hub!.contentRequests().length;
    expect(Buffer.compare(await readFile(join(await download(), 'model.safetensors')), weights)).toBe(0);
    const again = hub!.contentRequests().slice(before);
    expect(new Set(again.map(({ range }) => range))).toEqual(new Set([`bytes=${size}-`]));
  });
});
