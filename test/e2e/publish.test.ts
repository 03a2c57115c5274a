import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, open, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { downloadModel } from '../../src/hub/index.js';
import { runCli, startCli } from '../support/cli.js';
import { hubConversion } from '../support/conversions.js';
import { type Hub, startHub } from '../support/hub-server.js';
import { hubUploads, type Uploads } from '../support/hub-uploads.js';
import { tinyRepository } from '../support/tiny-repository.js';

const TOKEN = 'hf_secretsecretsecret';
const SOURCE = 'org/tiny-llama';
const work = mkdtempSync(join(tmpdir(), 'byteify-publish-'));
let hub: Hub;
let uploads: Uploads;
let folder: string;

beforeAll(async () => {
  uploads = hubUploads({
    folder: join(work, 'storage'),
    accounts: { [TOKEN]: { name: 'me' } },
    partBytes: 500_000_000,
    faults: [{ kind: 'stall', on: /^\/lfs\/object\//, times: 2 }],
  });
  await mkdir(join(work, 'storage'), { recursive: true });
  hub = await startHub({ repos: { [SOURCE]: await tinyRepository() }, uploads: uploads.routes });
  ({ folder } = await hubConversion(hub.url, SOURCE));
});

afterAll(async () => {
  await hub?.close();
  rmSync(work, { recursive: true, force: true });
});

const environment = () => ({ HF_ENDPOINT: hub.url, HF_TOKEN: TOKEN, HF_HOME: join(work, 'home'), HF_HUB_OFFLINE: '' });

const ARGS = () => ['publish', folder, 'me/tiny-BLT', '--accept-license', 'unknown', '--json'];

describe('a conversion from a hub id', () => {
  it.each<[string, NodeJS.Signals, number | null]>([
    ['stopped by Ctrl-C ends with 130', 'SIGINT', 130],
    ['killed ends', 'SIGKILL', null],
  ])('leaves the repository unchanged if publishing is %s', async (_how, signal, expected) => {
    const requests = hub.requests.length;
    const running = startCli(ARGS(), { env: environment() });
    await running.seen('Uploading to me/tiny-BLT');
    while (!hub.requests.slice(requests).some(({ url }) => url.startsWith('/lfs/object/'))) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    running.child.kill(signal);
    const { code, stdout, stderr } = await running.finished;
    expect(stderr.includes('Stopped by SIGINT. Run the same command again to resume.')).toBe(signal === 'SIGINT');
    expect(stdout).toBe('');
    expect(code).toBe(expected);
    expect(hub.requests.filter(({ url }) => url.includes('/commit/'))).toEqual([]);
  });

  it('is published by the same command, verified, and downloaded again', async () => {
    const { code, stdout, stderr } = await runCli(ARGS(), { env: environment() });
    expect(stderr).not.toContain('error:');
    expect(code).toBe(0);
    const document = JSON.parse(stdout);
    expect(document).toMatchObject({ repository: 'me/tiny-BLT', url: `${hub.url}/me/tiny-BLT`, created: false });
    const names = (await readdir(join(folder, 'blt'))).filter((name) => !name.startsWith('.')).sort();
    expect(document.uploaded).toEqual(names);
    expect(stdout + stderr).not.toContain(TOKEN);
    const { folder: there, commit } = await downloadModel('me/tiny-BLT', {
      environment: { endpoint: hub.url, cacheDir: join(work, 'cache'), token: null, offline: false },
    });
    expect(commit).toBe(document.commit);
    for (const name of await readdir(there)) {
      expect(Buffer.compare(await readFile(join(there, name)), await readFile(join(folder, 'blt', name))), name).toBe(
        0,
      );
    }
  });

  it('is not sent a second time', async () => {
    const before = uploads.received.length;
    const { code, stdout } = await runCli(ARGS(), { env: environment() });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ uploaded: [], sent_bytes: 0 });
    expect(uploads.received).toHaveLength(before);
  });

  it('can be used by the other verbs under its new name', async () => {
    const { stdout } = await runCli(['inspect', 'me/tiny-BLT', '--json'], { env: environment() });
    expect(JSON.parse(stdout)).toMatchObject({ kind: 'blt' });
  });
});

describe('memory', () => {
  const PUBLISHER = fileURLToPath(new URL('../support/publish-peak.mjs', import.meta.url));
  const run = promisify(execFile);

  /** Sparse files, so that no disk is read, with different first bytes. */
  async function peakOf(bytes: number): Promise<{ sent_bytes: number; peak_bytes: number }> {
    const from = join(work, `weights-${bytes}`);
    await mkdir(from);
    const file = await open(join(from, 'model.safetensors'), 'w');
    await file.truncate(bytes);
    await file.close();
    const { stdout } = await run(process.execPath, [PUBLISHER, from, `me/weights-${bytes}`], {
      env: { ...process.env, ...environment() },
    });
    return JSON.parse(stdout);
  }

  it('does not grow with the size of a file, whole or in parts', async () => {
    const small = await peakOf(100_000_000);
    const large = await peakOf(2_200_000_000);
    expect([small.sent_bytes, large.sent_bytes]).toEqual([100_000_000, 2_200_000_000]);
    expect(uploads.received.filter(({ path }) => path.startsWith('/lfs/part/'))).toHaveLength(5);
    console.log(`publishing holds ${small.peak_bytes / 1e6} MB for 0.1 GB and ${large.peak_bytes / 1e6} MB for 2.2 GB`);
    expect(large.peak_bytes).toBeLessThan(400e6);
    expect(large.peak_bytes).toBeLessThan(small.peak_bytes + 150e6);
  });
});
