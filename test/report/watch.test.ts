import { rm } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openWatch, type Watch } from '../../src/report/index.js';
import { fabricateConversion } from '../support/fabricated-conversion.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();
let watch: Watch;
beforeEach(async () => {
  await fabricateConversion(folder());
  watch = await openWatch(folder(), 0);
});
afterEach(() => watch.close());

/** The status of a request with another name in its Host header. */
const statusFor = (host: string) =>
  new Promise<number>((resolve, reject) => {
    request(watch.url, { headers: { Host: host } }, ({ statusCode }) => resolve(statusCode!))
      .on('error', reject)
      .end();
  });

describe('a report that is watched', () => {
  it('is read anew at each request, and reloads itself', async () => {
    const first = await (await fetch(watch.url)).text();
    expect(first).toContain('<meta http-equiv="refresh"');
    expect(first).toContain('id="training"');
    for (const part of ['run', 'patcher']) await rm(join(folder(), part), { recursive: true });
    expect(await (await fetch(watch.url)).text()).not.toContain('id="training"');
    await rm(join(folder(), 'byteify.json'));
    const gone = await fetch(watch.url);
    expect([gone.status, await gone.text()]).toEqual([503, expect.stringContaining('is not a conversion')]);
  });

  it('is for this machine only, and has no other pages', async () => {
    expect(await statusFor('localhost:1')).toBe(200);
    expect(await statusFor('example.org')).toBe(403);
    expect((await fetch(`${watch.url}other`)).status).toBe(404);
    expect((await fetch(watch.url, { method: 'POST' })).status).toBe(404);
  });

  it('names a port that is in use', async () => {
    const { port } = new URL(watch.url);
    await expect(openWatch(folder(), Number(port))).rejects.toThrow(`The report cannot be served on port ${port}`);
  });
});
