import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, readlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { downloadModel } from '../../src/hub/index.js';
import { hubModel, WANTED } from '../support/hub-model.js';
import { type Hub, startHub } from '../support/hub-server.js';
import { commitFolder, type Olah, startOlah } from '../support/olah.js';
import { askPeer, peersPython } from '../support/peers.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();
const files: Record<string, string | Uint8Array> = { ...hubModel(), 'é ü.txt': 'a name that is not ASCII' };
let server: Hub | Olah | null = null;

afterEach(async () => {
  await server?.close();
  server = null;
});

async function serve(): Promise<Hub> {
  const hub = await startHub({ repos: { 'org/name': files } });
  server = hub;
  return hub;
}

const sha256 = (bytes: string | Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const wanted = () => Object.fromEntries(WANTED.map((name) => [name, sha256(files[name]!)]));

/** Xet is off, because neither server supports it. */
const online = (endpoint: string) => ({
  HF_HUB_OFFLINE: '0',
  HF_ENDPOINT: endpoint,
  HF_HUB_DISABLE_XET: '1',
  HF_HUB_DISABLE_PROGRESS_BARS: '1',
  HF_HUB_DISABLE_TELEMETRY: '1',
});

function download(endpoint: string, cacheDir: string) {
  return downloadModel('org/name', { environment: { endpoint, cacheDir, token: null, offline: false } });
}

interface Snapshot {
  readonly folder: string;
  readonly files: Record<string, string>;
}

const snapshot = (cache: string, patterns: readonly string[] = [], env: Record<string, string> = {}) =>
  askPeer<Snapshot>('hub.py', ['snapshot', cache, 'org/name', ...patterns], env);

/** The contents of a cache by path: the targets of links, and the texts of files. */
async function layout(cache: string): Promise<Record<string, string>> {
  const entries = await readdir(cache, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
  const shown = await Promise.all(
    paths.map(async (path) => {
      const link = await readlink(path).catch(() => null);
      return [path.slice(cache.length + 1), link ?? (await readFile(path, 'latin1'))] as const;
    }),
  );
  return Object.fromEntries(shown.sort(([a], [b]) => (a < b ? -1 : 1)));
}

describe.skipIf(peersPython() === null)('Python’s huggingface_hub', () => {
  it('makes the same cache from the same files, byte for byte', async () => {
    const { url } = await serve();
    const [ours, theirs] = [join(folder(), 'ours'), join(folder(), 'theirs')];
    await download(url, ours);
    await snapshot(theirs, WANTED, online(url));
    const { 'CACHEDIR.TAG': ourTag = '', ...our } = await layout(ours);
    const { 'CACHEDIR.TAG': theirTag = '', ...their } = await layout(theirs);
    // Python's locks have their own format and do not matter here.
    const kept = Object.entries(their).filter(([path]) => !path.startsWith('.locks/'));
    expect(our).toEqual(Object.fromEntries(kept));
    expect(Object.keys(our).length).toBeGreaterThan(20);
    // The first line is the signature, the others are for people.
    expect(ourTag.split('\n')[0]).toBe(theirTag.split('\n')[0]);
  });

  it('reads our cache offline, as a whole and file by file', async () => {
    const { url } = await serve();
    const cache = join(folder(), 'hub');
    const { folder: ours, commit } = await download(url, cache);
    await server!.close();
    server = null;
    expect(await snapshot(cache, WANTED)).toEqual({ folder: ours, files: wanted() });
    // It sees in the tree that byteify omitted files.
    expect(await snapshot(cache)).toEqual({ error: 'IncompleteSnapshotError' });
    expect(await askPeer('hub.py', ['files', cache, 'org/name', ...WANTED])).toEqual(
      Object.fromEntries(WANTED.map((name) => [name, join(ours, name)])),
    );
    expect(await askPeer('hub.py', ['scan', cache])).toEqual({
      repos: [{ id: 'org/name', refs: { main: commit }, files: WANTED }],
      warnings: [],
    });
  });

  it('downloads nothing again that byteify downloaded', async () => {
    const hub = await serve();
    const cache = join(folder(), 'hub');
    await download(hub.url, cache);
    const before = hub.contentRequests().length;
    expect((await snapshot(cache, WANTED, online(hub.url))).files).toEqual(wanted());
    expect(hub.contentRequests()).toHaveLength(before);
  });

  it('makes caches that byteify reads without downloading content', async () => {
    const hub = await serve();
    const cache = join(folder(), 'hub');
    const theirs = await snapshot(cache, [], online(hub.url));
    const before = hub.contentRequests().length;
    const found = await download(hub.url, cache);
    expect(found.folder).toBe(theirs.folder);
    expect([...found.files].sort()).toEqual(WANTED);
    expect(hub.contentRequests()).toHaveLength(before);
    await hub.close();
    server = null;
    const offline = { endpoint: hub.url, cacheDir: cache, token: null, offline: true };
    expect((await downloadModel('org/name', { environment: offline })).folder).toBe(theirs.folder);
  });

  it('confirms our files with `hf cache verify`, and notices a damaged one', async () => {
    const { url } = await serve();
    const cache = join(folder(), 'hub');
    const { folder: ours } = await download(url, cache);
    const verify = () =>
      promisify(execFile)(
        join(dirname(peersPython()!), 'hf'),
        ['cache', 'verify', 'org/name', '--cache-dir', cache, '--json'],
        { env: { ...process.env, ...online(url) } },
      );
    expect(JSON.parse((await verify()).stdout)).toMatchObject({ checked: WANTED.length });
    await writeFile(join(ours, 'tokenizer.json'), '[]');
    await expect(verify()).rejects.toThrow('Verification failed for');
  });
});

describe.skipIf(peersPython() === null)('olah, another server', () => {
  it('serves a model, resumes a partial download, and Python reads the result offline', async () => {
    const mirrors = join(folder(), 'mirrors');
    const repository = join(mirrors, 'models', 'org', 'name');
    for (const [name, contents] of Object.entries(files)) {
      await mkdir(dirname(join(repository, name)), { recursive: true });
      await writeFile(join(repository, name), contents);
    }
    const commit = commitFolder(repository);
    server = await startOlah(mirrors, join(folder(), 'olah'));
    const cache = join(folder(), 'hub');
    // Without large-file storage, blobs are named after git's sha1.
    const shard = files['model-00001-of-00002.safetensors'] as Uint8Array;
    const oid = createHash('sha1').update(`blob ${shard.length}\0`).update(shard).digest('hex');
    const blobs = join(cache, 'models--org--name', 'blobs');
    await mkdir(blobs, { recursive: true });
    await writeFile(join(blobs, `${oid}.incomplete`), shard.subarray(0, 123_456));
    const ranges: (string | null)[] = [];
    const environment = { endpoint: server.url, cacheDir: cache, token: null, offline: false };
    const found = await downloadModel('org/name', {
      environment,
      fetch: (input, init) => {
        ranges.push(new Headers(init?.headers).get('range'));
        return fetch(input, init);
      },
    });
    expect(ranges.filter((range) => range !== null)).toEqual(['bytes=123456-']);
    expect(found.commit).toBe(commit);
    expect(existsSync(join(found.folder, 'original'))).toBe(false);
    expect((await snapshot(cache, WANTED)).files).toEqual(wanted());
  });
});
