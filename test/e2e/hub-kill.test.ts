import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';
import { type Hub, startHub } from '../support/hub-server.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const DOWNLOAD = fileURLToPath(new URL('../support/download.mjs', import.meta.url));
const MOMENTS = 20;
const SHARDS = Array.from({ length: 6 }, (_, i) => `model-0000${i + 1}-of-00006.safetensors`);
const SHARD_BYTES = 1_500_000;
/** 64 kB every 20 ms per connection, on four connections: about 1 s for everything. */
const PACE = { bytes: 64_000, everyMs: 20 };

const folder = temporaryFolder();
let hub: Hub | null = null;
afterEach(async () => {
  await hub?.close();
  hub = null;
});

const files: Record<string, string | Uint8Array> = {
  'config.json': '{}',
  'tokenizer.json': JSON.stringify({ text: 'x'.repeat(200_000) }),
  'model.safetensors.index.json': JSON.stringify({
    weight_map: Object.fromEntries(SHARDS.map((name) => [name, name])),
  }),
  ...Object.fromEntries(SHARDS.map((name) => [name, randomBytes(SHARD_BYTES)])),
};
const TOTAL_BYTES = Object.values(files).reduce((sum, { length }) => sum + length, 0);
const sha256 = (bytes: string | Uint8Array) => createHash('sha256').update(bytes).digest('hex');

function start(cache: string): ChildProcess {
  return spawn(process.execPath, [DOWNLOAD, hub!.url, cache, 'org/name'], { stdio: ['ignore', 'inherit', 'inherit'] });
}

async function finish(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.exitCode;
}

const blobs = (cache: string) => join(cache, 'models--org--name', 'blobs');

/** How much of each shard exists, by sha256, and whether it has its final name. */
async function shardsOnDisk(cache: string): Promise<Map<string, { bytes: number; named: boolean }>> {
  const names = await readdir(blobs(cache)).catch(() => []);
  const there = names.filter((name) => /^[0-9a-f]{64}/.test(name));
  const entries = there.map(async (name) => {
    const { size } = await stat(join(blobs(cache), name));
    return [name.slice(0, 64), { bytes: size, named: !name.endsWith('.incomplete') }] as const;
  });
  return new Map(await Promise.all(entries));
}

/** The first byte of each request to the storage, by sha256. */
function starts(from: number): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const { url, range } of hub!.requests.slice(from)) {
    const digest = /^\/cdn\/([0-9a-f]{64})/.exec(url)?.[1];
    if (digest === undefined) continue;
    found.set(digest, [...(found.get(digest) ?? []), Number(/\d+/.exec(range ?? '0')![0])]);
  }
  return found;
}

/** Milliseconds from its first request to its end, from which the moments are drawn. */
async function lengthOfDownload(cache: string): Promise<number> {
  const child = start(cache);
  while (hub!.requests.length === 0) await wait(5);
  const beganMs = performance.now();
  expect(await finish(child)).toBe(0);
  return performance.now() - beganMs;
}

it(`nothing is downloaded twice after kill -9 at any of ${MOMENTS} random moments`, async () => {
  hub = await startHub({
    repos: { 'org/name': files },
    faults: [{ kind: 'drip', on: /^\/cdn\//, ...PACE, times: Number.POSITIVE_INFINITY }],
  });
  const lengthMs = await lengthOfDownload(join(folder(), 'whole'));
  let inTheMiddle = 0;
  for (let moment = 0; moment < MOMENTS; moment++) {
    const cache = join(folder(), String(moment));
    const before = hub.requests.length;
    const killMs = Math.random() * lengthMs;
    const where = `killed after ${killMs.toFixed(0)} of ${lengthMs.toFixed(0)} ms`;
    const first = start(cache);
    while (hub.requests.length === before) await wait(5);
    await wait(killMs);
    first.kill('SIGKILL');
    await finish(first);
    const there = await shardsOnDisk(cache);
    if ([...there.values()].some(({ named }) => !named)) inTheMiddle += 1;

    const rerun = hub.requests.length;
    expect(await finish(start(cache)), where).toBe(0);
    const asked = starts(rerun);
    for (const [digest, { bytes, named }] of there) {
      // A complete file is not requested again; any other is requested once, from its first missing byte on.
      const expected = named || bytes === SHARD_BYTES ? undefined : [bytes];
      expect(asked.get(digest), `${where}: ${digest}`).toEqual(expected);
    }
    const [commit = ''] = await readdir(join(cache, 'models--org--name', 'snapshots'));
    for (const [name, contents] of Object.entries(files)) {
      const path = join(cache, 'models--org--name', 'snapshots', commit, name);
      expect(sha256(await readFile(path)), `${where}: ${name}`).toBe(sha256(contents));
    }
    const left = await readdir(join(cache, 'models--org--name'), { recursive: true });
    // A complete model is read without a lock: that of a process killed at the very end stays until the next download takes it over.
    const unfinished = asked.size === 0 ? /incomplete|tmp/ : /incomplete|tmp|lock/;
    expect(
      left.filter((name) => unfinished.test(name)),
      where,
    ).toEqual([]);
    // What the first process had sent for but not written is lost with it; what it wrote is not sent again.
    const sent = hub.contentRequests().filter((request) => hub!.requests.indexOf(request) >= rerun);
    const sentBytes = sent.reduce((sum, request) => sum + request.sentBytes, 0);
    const writtenBytes = [...there.values()].reduce((sum, { bytes }) => sum + bytes, 0);
    expect(sentBytes, where).toBeLessThanOrEqual(TOTAL_BYTES - writtenBytes);
  }
  // Moments before the first byte and after the last prove little.
  expect(inTheMiddle).toBeGreaterThan(MOMENTS / 4);
});
