import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { downloadModel } from '../../src/hub/index.js';
import { runCli } from '../support/cli.js';
import { tinyConversion } from '../support/conversions.js';
import { type Hub, startHub } from '../support/hub-server.js';
import { hubUploads, type Uploads } from '../support/hub-uploads.js';
import { askPeer, peersPython } from '../support/peers.js';

const TOKEN = 'hf_secretsecretsecret';
const TEXT = 'naïve café, 東京タワー — Привет, мир! 🎉';
const work = mkdtempSync(join(tmpdir(), 'byteify-publish-peer-'));
let hub: Hub;
let uploads: Uploads;
let folder: string;

/** With hf_xet, Python's client would send to another kind of storage. */
const environment = () => ({
  HF_ENDPOINT: hub.url,
  HF_TOKEN: TOKEN,
  HF_HOME: join(work, 'home'),
  HF_HUB_OFFLINE: '0',
  HF_HUB_DISABLE_XET: '1',
  HF_HUB_DISABLE_PROGRESS_BARS: '1',
});

const published = async () => (await readdir(join(folder, 'blt'))).filter((name) => !name.startsWith('.')).sort();

const sha256 = async (path: string) =>
  createHash('sha256')
    .update(await readFile(path))
    .digest('hex');

const publish = (id: string) =>
  runCli(['publish', folder, id, '--accept-license', 'unknown', '--json'], { env: environment() });

describe.skipIf(peersPython() === null)('Python’s huggingface_hub and transformers', () => {
  beforeAll(async () => {
    await mkdir(join(work, 'storage'));
    // In parts, as the hub accepts large files.
    uploads = hubUploads({
      folder: join(work, 'storage'),
      accounts: { [TOKEN]: { name: 'me' } },
      partBytes: 1_000_000,
    });
    hub = await startHub({ repos: {}, uploads: uploads.routes });
    ({ folder } = await tinyConversion());
  });

  afterAll(async () => {
    await hub?.close();
    rmSync(work, { recursive: true, force: true });
  });

  it('download what was published, and load it as the same model', async () => {
    const { code, stderr } = await publish('me/tiny-BLT');
    expect(stderr).not.toContain('error:');
    expect(code).toBe(0);
    const digests = await askPeer<Record<string, string>>('hub_publish.py', ['download', 'me/tiny-BLT'], environment());
    for (const name of await published()) {
      expect(digests[name], name).toBe(await sha256(join(folder, 'blt', name)));
    }
    const here = await askPeer<object>('blt.py', [join(folder, 'blt'), TEXT]);
    const there = await askPeer<object>('blt.py', ['me/tiny-BLT', TEXT], environment());
    expect(there).toMatchObject({ missing: [], unexpected: [], mismatched: [] });
    expect(there).toEqual(here);
  });

  it('upload to the loopback server as to the hub, from which byteify downloads and recognises the files', async () => {
    const args = ['upload', join(folder, 'blt'), 'me/by-python'];
    const peer = await askPeer<{ url: string; user: string; commits: string[]; private: boolean }>(
      'hub_publish.py',
      args,
      environment(),
    );
    expect(peer).toMatchObject({ url: `${hub.url}/me/by-python`, user: 'me', private: true });
    expect(peer.commits[1]).toBe(peer.commits[0]);
    const { folder: there, commit } = await downloadModel('me/by-python', {
      environment: { endpoint: hub.url, cacheDir: join(work, 'cache'), token: TOKEN, offline: false },
    });
    expect(commit).toBe(peer.commits[0]);
    for (const name of await readdir(there)) {
      expect(await sha256(join(there, name)), name).toBe(await sha256(join(folder, 'blt', name)));
    }
    const before = uploads.received.length;
    const { code, stdout } = await publish('me/by-python');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ uploaded: [], skipped: await published(), commit });
    expect(uploads.received).toHaveLength(before);
  });
});
