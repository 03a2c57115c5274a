import { createHash, randomBytes } from 'node:crypto';
import { lstat, mkdir, readdir, readFile, readlink, realpath, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { writeFileAtomic } from '../../src/fs/atomic.js';
import { lockFolder } from '../../src/fs/lock.js';
import { type DownloadOptions, downloadModel } from '../../src/hub/index.js';
import { hubModel, WANTED } from '../support/hub-model.js';
import { type Hub, type HubOptions, startHub } from '../support/hub-server.js';
import { temporaryFolder } from '../support/temporary-folder.js';

vi.mock('node:fs/promises', { spy: true });
vi.mock('../../src/fs/lock.js', { spy: true });
vi.mock('../../src/fs/atomic.js', { spy: true });

/** Stands for a cache that may only be read: permissions do not stop the superuser. */
function refuseWrites(code: string): void {
  const refused = async () => Promise.reject(Object.assign(new Error(code), { code, syscall: 'open', path: cache() }));
  vi.mocked(lockFolder).mockImplementation(refused);
  vi.mocked(writeFileAtomic).mockImplementation(refused);
}

const SHARD = 'model-00001-of-00002.safetensors';
const TOKEN = 'hf_secretsecretsecret';
const cache = temporaryFolder();
let hub: Hub | null = null;

afterEach(async () => {
  await hub?.close();
  hub = null;
  for (const mocked of [lockFolder, writeFileAtomic]) vi.mocked(mocked).mockRestore();
});

type Files = ReturnType<typeof hubModel>;

async function serve(options: Partial<HubOptions> = {}): Promise<{ hub: Hub; files: Files }> {
  const files = hubModel();
  hub = await startHub({ repos: { 'org/name': files }, ...options });
  return { hub, files };
}

function environment(changes: Partial<DownloadOptions['environment']> = {}) {
  return { endpoint: hub?.url ?? 'http://127.0.0.1:1', cacheDir: cache(), token: null, offline: false, ...changes };
}

function download(model = 'org/name', options: DownloadOptions = {}) {
  return downloadModel(model, { environment: environment(), sleep: async () => undefined, ...options });
}

async function expectSnapshot(folder: string, files: Files): Promise<void> {
  expect((await readdir(folder)).sort()).toEqual(WANTED);
  for (const name of WANTED) {
    expect(Buffer.compare(await readFile(join(folder, name)), Buffer.from(files[name] as Uint8Array)), name).toBe(0);
  }
}

const repository = () => join(cache(), 'models--org--name');

async function expectNoLocks(): Promise<void> {
  expect((await readdir(repository())).filter((name) => name.includes('lock'))).toEqual([]);
}

/** Neither parts, temporary names nor locks. */
async function expectTidy(): Promise<void> {
  const names = await readdir(repository(), { recursive: true });
  expect(names.filter((name) => /incomplete|tmp|lock/.test(name))).toEqual([]);
}

const sha256 = (bytes: string | Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe('a download', () => {
  it('fetches what a conversion needs, in the layout of Python’s cache', async () => {
    const { files } = await serve({ pageSize: 4 });
    const events: number[] = [];
    const {
      folder,
      commit,
      files: paths,
    } = await download('org/name', {
      onProgress: ({ doneBytes, totalBytes }) => {
        expect(totalBytes).toBe(600_000);
        events.push(doneBytes);
      },
    });
    await expectSnapshot(folder, files);
    await expectTidy();
    expect([...paths].sort()).toEqual(WANTED);
    expect(events).toEqual([...events].sort((a, b) => a - b));
    expect(events.at(-1)).toBe(600_000);
    expect(folder).toBe(join(repository(), 'snapshots', commit));
    expect(await readFile(join(repository(), 'refs', 'main'), 'utf8')).toBe(commit);
    expect(await readlink(join(folder, SHARD))).toBe(`../../blobs/${sha256(files[SHARD]!)}`);
    const tree = JSON.parse(await readFile(join(repository(), 'trees', `${commit}.json`), 'utf8'));
    expect(await readFile(join(cache(), 'CACHEDIR.TAG'), 'utf8')).toMatch(
      /^Signature: 8a477f597d28d172789f06886806bc55\n/,
    );
    expect(tree.format_version).toBe(1);
    expect(Object.keys(tree.files)).toEqual(Object.keys(files).sort());
    expect(tree.files[SHARD]).toMatchObject({ size: 300_000, lfs_sha256: sha256(files[SHARD]!), lfs_size: 300_000 });
  });

  it('requests no content twice', async () => {
    const { hub, files } = await serve();
    await download();
    const before = hub.contentRequests().length;
    await expectSnapshot((await download()).folder, files);
    expect(hub.contentRequests()).toHaveLength(before);
  });

  it('shares files between revisions, and updates the ref', async () => {
    const first = hubModel();
    const second = { ...first, 'README.md': 'Another.' };
    await serve({ repos: { 'org/name@v1': first, 'org/name': second } });
    const old = await download('org/name@v1');
    await hub!.close();
    hub = await startHub({ repos: { 'org/name@v1': second } });
    const { folder, commit } = await download('org/name@v1');
    expect(commit).not.toBe(old.commit);
    await expectSnapshot(folder, second);
    expect(await readFile(join(repository(), 'refs', 'v1'), 'utf8')).toBe(commit);
    expect(hub.contentRequests().map(({ url }) => url)).toEqual([`/org/name/resolve/${commit}/README.md`]);
  });

  it('accepts a commit as the revision, without a ref', async () => {
    await serve();
    const { commit } = await download();
    await download(`org/name@${commit}`);
    expect(await readdir(join(repository(), 'refs'))).toEqual(['main']);
  });

  it('fetches a single weights file, and no other formats', async () => {
    const { 'model.safetensors.index.json': _index, ...rest } = hubModel();
    await serve({ repos: { 'org/name': { ...rest, 'model.safetensors': 'weights' } } });
    const { files } = await download();
    expect(files.filter((file) => file.includes('safetensors'))).toEqual(['model.safetensors']);
  });

  it('fetches the single file if there are also shards, as reading prefers it', async () => {
    await serve({ repos: { 'org/name': { ...hubModel(), 'model.safetensors': 'weights' } } });
    const taken = async (options?: DownloadOptions) =>
      (await download('org/name', options)).files.filter((file) => file.endsWith('.safetensors'));
    expect(await taken()).toEqual(['model.safetensors']);
    expect(await taken({ environment: environment({ offline: true }) })).toEqual(['model.safetensors']);
  });

  it('lets the config refuse the model before any weights are fetched', async () => {
    const { hub } = await serve();
    const refusal = new Error('not a Llama');
    const onConfig = async (folder: string) => {
      expect((await stat(join(folder, 'tokenizer.json'))).size).toBe(2);
      throw refusal;
    };
    await expect(download('org/name', { onConfig })).rejects.toBe(refusal);
    expect(hub.requests.filter(({ url }) => url.endsWith('.safetensors'))).toEqual([]);
    await expect(lstat(join(repository(), 'refs'))).rejects.toThrow();
    await expectTidy();
  });

  it('follows a repository that was renamed, and names it', async () => {
    const { files } = await serve({ renamed: { 'org/old': 'org/name' }, gated: ['org/name'], token: TOKEN });
    const names: string[] = [];
    const onRenamed = (name: string) => names.push(name);
    const withToken = { environment: environment({ token: TOKEN }), onRenamed };
    await expectSnapshot((await download('org/old', withToken)).folder, files);
    await download('org/name', withToken);
    expect(names).toEqual(['org/name']);
  });

  it('uses a complete cached model without a lock or a transfer, and records its revision', async () => {
    const { hub, files } = await serve();
    await download();
    await rm(join(repository(), 'refs'), { recursive: true });
    const unlock = await lockFolder(repository());
    const before = hub.contentRequests().length;
    await expectSnapshot((await download()).folder, files);
    expect(hub.contentRequests()).toHaveLength(before);
    expect(await readdir(join(repository(), 'refs'))).toEqual(['main']);
    await unlock();
  });

  it('uses a read-only cache written by Python, and lets the config refuse the model', async () => {
    const { files } = await serve();
    const { folder } = await download();
    await rm(join(repository(), 'refs'), { recursive: true });
    refuseWrites('EROFS');
    await expectSnapshot((await download()).folder, files);
    const refusing = download('org/name', { onConfig: async () => Promise.reject(new Error(`no: ${folder}`)) });
    await expect(refusing).rejects.toThrow(`no: ${folder}`);
  });

  it.each([
    ['EACCES', SHARD, 'missing'],
    ['EROFS', SHARD, 'short'],
    ['EPERM', 'config.json', 'dangling'],
  ] as const)('says what a read-only cache lacks (%s): %s is %s', async (code, name, fault) => {
    const { files } = await serve();
    const { folder } = await download();
    const blob = await realpath(join(folder, name));
    if (fault === 'missing') await rm(join(folder, name));
    else if (fault === 'short') await writeFile(blob, 'short');
    else await rm(blob);
    refuseWrites(code);
    const said = {
      missing: `${name} is missing`,
      short: `${name} has 5 bytes instead of ${files[name]!.length}`,
      dangling: `${name} is a dangling link`,
    };
    const failing = download();
    await expect(failing).rejects.toThrow(
      `org/name is incomplete in the cache, and this user may not write to the cache: in ${repository()}, ${said[fault]}.`,
    );
    await expect(failing).rejects.toMatchObject({ hint: expect.stringContaining('HF_HOME') });
  });

  it('says that a file system has no links', async () => {
    await serve();
    vi.mocked(symlink).mockRejectedValueOnce(
      Object.assign(new Error('EPERM'), { code: 'EPERM', syscall: 'symlink', path: '/x' }),
    );
    await expect(download()).rejects.toThrow(`The file system of ${repository()} does not support links.`);
  });

  it('removes the temporary files of a killed process', async () => {
    await serve();
    const { folder, commit } = await download();
    const left = [join(repository(), 'trees', `.${commit}.json.tmp-1-0123abcd`), join(folder, '.LICENSE.txt.tmp')];
    for (const path of left) await writeFile(path, '');
    await rm(join(folder, 'LICENSE.txt'));
    await download();
    await expectTidy();
  });

  it('reports what was already there before it reports progress', async () => {
    const { files } = await serve();
    await mkdir(join(repository(), 'blobs'), { recursive: true });
    const shard = files[SHARD] as Uint8Array;
    await writeFile(join(repository(), 'blobs', `${sha256(shard)}.incomplete`), shard.subarray(0, 200_000));
    const events: number[] = [];
    await download('org/name', { onProgress: ({ doneBytes }) => events.push(doneBytes) });
    expect(events[0]).toBe(200_000);
    expect(events.at(-1)).toBe(600_000);
  });

  it('replaces a blob of the wrong size', async () => {
    const { files } = await serve();
    await mkdir(join(repository(), 'blobs'), { recursive: true });
    await writeFile(join(repository(), 'blobs', sha256(files[SHARD]!)), 'half');
    await expectSnapshot((await download()).folder, files);
  });
});

describe('several files', () => {
  const SHARDS = Array.from({ length: 7 }, (_, i) => `model-0000${i + 1}-of-00007.safetensors`);
  const repos = () => ({
    'org/name': {
      'config.json': '{}',
      'model.safetensors.index.json': JSON.stringify({ weight_map: Object.fromEntries(SHARDS.map((s) => [s, s])) }),
      ...Object.fromEntries(SHARDS.map((shard) => [shard, randomBytes(100_000)])),
    },
  });
  const asked = () => hub!.contentRequests().filter(({ url }) => url.startsWith('/cdn/'));

  it('are fetched four at a time', async () => {
    await serve({ repos: repos(), faults: [{ kind: 'stall', on: /^\/cdn\//, afterBytes: 1000, times: 99 }] });
    const controller = new AbortController();
    const stopped = download('org/name', { signal: controller.signal });
    stopped.catch(() => undefined);
    await vi.waitUntil(() => asked().length >= 4, { timeout: 10_000 });
    await setTimeout(200);
    expect(asked()).toHaveLength(4);
    controller.abort();
    await expect(stopped).rejects.toThrow(/abort/i);
  });

  it('are stopped if one fails, and resumed from their parts', async () => {
    await serve({ repos: repos(), faults: [{ kind: 'stall', on: /0000[123]-of/, afterBytes: 40_000, times: 3 }] });
    const sizes = async () => {
      const names = await readdir(join(repository(), 'blobs'));
      const parts = names.filter((name) => name.endsWith('.incomplete'));
      return Promise.all(parts.map(async (name) => (await stat(join(repository(), 'blobs', name))).size));
    };
    const failing: typeof fetch = async (input, init) => {
      if (!String(input).endsWith(SHARDS[3]!)) return fetch(input, init);
      await vi.waitUntil(async () => (await sizes()).filter((size) => size === 40_000).length === 3);
      return Response.json({}, { status: 404 });
    };
    await expect(download('org/name', { fetch: failing })).rejects.toThrow('There is no model org/name');
    await expectNoLocks();
    expect((await sizes()).sort()).toEqual([40_000, 40_000, 40_000]);
    const before = asked().length;
    const { folder } = await download();
    for (const shard of SHARDS) expect((await stat(join(folder, shard))).size).toBe(100_000);
    const later = asked().slice(before);
    expect(later.map(({ range }) => range).sort()).toEqual([
      ...Array.from({ length: 3 }, () => 'bytes=40000-'),
      ...Array.from({ length: 4 }, () => null),
    ]);
  });

  it('with the same content are fetched once', async () => {
    const contents = { 'config.json': '{}', 'model.safetensors': 'x', LICENSE: 'the same', NOTICE: 'the same' };
    const { hub } = await serve({ repos: { 'org/name': contents } });
    const { folder } = await download();
    expect(await readFile(join(folder, 'NOTICE'), 'utf8')).toBe('the same');
    expect(hub.contentRequests().filter(({ url }) => /LICENSE|NOTICE/.test(url))).toHaveLength(1);
  });
});

describe('on a bad network, a download', () => {
  const on = new RegExp(`^/cdn/.*${SHARD}`);
  /** Where each request for the shard began. A connection that is cut may lose a little of what was sent before. */
  const starts = () =>
    hub!.requests.filter(({ url }) => on.test(url)).map(({ range }) => Number(/\d+/.exec(range ?? '0')![0]));

  it('is resumed where it was cut off', async () => {
    const { files } = await serve({ faults: [{ kind: 'cut', on, afterBytes: 100_000, times: 2 }] });
    await expectSnapshot((await download()).folder, files);
    expect(starts()).toHaveLength(3);
    const [first, second = 0, third = 0] = starts();
    expect([first, second > 50_000, third > second]).toEqual([0, true, true]);
  });

  it('is resumed by the next process, from a part that is verified with the rest', async () => {
    const { files } = await serve({
      faults: [
        { kind: 'cut', on, afterBytes: 100_000 },
        { kind: 'cut', on, afterBytes: 0, times: 5 },
      ],
    });
    await expect(download()).rejects.toThrow(`The download of ${SHARD} was interrupted repeatedly`);
    const part = (await stat(join(repository(), 'blobs', `${sha256(files[SHARD]!)}.incomplete`))).size;
    expect(part).toBeGreaterThan(50_000);
    const before = hub!.requests.length;
    await expectSnapshot((await download()).folder, files);
    const later = hub!.requests.slice(before).filter(({ url }) => on.test(url));
    expect(later).toHaveLength(1);
    expect(later[0]).toMatchObject({ status: 206, range: `bytes=${part}-`, sentBytes: 300_000 - part });
    await expectTidy();
  });

  it('restarts if the part of an earlier process is wrong', async () => {
    const { files } = await serve();
    await mkdir(join(repository(), 'blobs'), { recursive: true });
    await writeFile(join(repository(), 'blobs', `${sha256(files[SHARD]!)}.incomplete`), Buffer.alloc(5000));
    await expectSnapshot((await download()).folder, files);
    expect(starts()).toEqual([5000, 0]);
  });

  it.each([
    [429, 7],
    [503, null],
    [408, null],
  ])('waits and retries after %d', async (status, retryAfterSeconds) => {
    const wait = retryAfterSeconds === null ? {} : { retryAfterSeconds };
    const { files } = await serve({
      faults: [{ kind: 'status', on: /./, status, times: 3, ...wait }],
    });
    const waits: number[] = [];
    const { folder } = await download('org/name', { sleep: async (ms) => waits.push(ms) });
    await expectSnapshot(folder, files);
    expect(waits).toHaveLength(3);
    if (retryAfterSeconds !== null) expect(waits).toEqual([7000, 7000, 7000]);
    else expect(waits[2]).toBeGreaterThan(waits[0]!);
  });

  it('is given up after a bounded number of attempts', async () => {
    await serve({ faults: [{ kind: 'status', on: /^\/cdn\//, status: 503, times: Number.POSITIVE_INFINITY }] });
    await expect(download()).rejects.toThrow('was interrupted repeatedly: localhost');
    expect(hub!.requests.length).toBeLessThan(200);
  });

  it('works if the server ignores ranges', async () => {
    const { files } = await serve({
      faults: [
        { kind: 'cut', on, afterBytes: 200_000 },
        { kind: 'ignore-range', on, times: 1 },
      ],
    });
    await expectSnapshot((await download()).folder, files);
    expect(starts()).toHaveLength(2);
    expect(hub!.requests.filter(({ url }) => on.test(url)).map(({ status }) => status)).toEqual([200, 200]);
  });

  it('works if the server responds with another range', async () => {
    const { files } = await serve({
      faults: [
        { kind: 'cut', on, afterBytes: 200_000 },
        { kind: 'wrong-range', on },
      ],
    });
    await expectSnapshot((await download()).folder, files);
    // The end of the connection may overtake the last bytes.
    const [first, second = 0, third] = starts();
    expect([first, second > 0 && second <= 200_000, third, starts().length]).toEqual([0, true, 0, 3]);
  });

  it('recovers from a stall', async () => {
    const { files } = await serve({ faults: [{ kind: 'stall', on, afterBytes: 50_000 }] });
    await expectSnapshot((await download('org/name', { stallMs: 300 })).folder, files);
    expect(starts()).toEqual([0, 50_000]);
  });

  it('abandons a connection with almost no throughput', async () => {
    const { files } = await serve({ faults: [{ kind: 'drip', on, bytes: 100, everyMs: 20 }] });
    await expectSnapshot((await download('org/name', { stallMs: 300 })).folder, files);
    const [first, second = 0] = starts();
    expect([first, second > 0, starts().length]).toEqual([0, true, 2]);
  });

  it('keeps a slow connection', async () => {
    const { files } = await serve({ faults: [{ kind: 'drip', on, bytes: 20_000, everyMs: 60 }] });
    await expectSnapshot((await download('org/name', { stallMs: 500 })).folder, files);
    expect(starts()).toEqual([0]);
  });

  it('recovers if a partial response is labelled complete', async () => {
    const { files } = await serve({ faults: [{ kind: 'short', on, bytes: 100_000 }] });
    await expectSnapshot((await download()).folder, files);
    expect(starts()).toEqual([0, 100_000]);
  });

  it('recovers if the repository’s metadata is truncated', async () => {
    const { files } = await serve({ faults: [{ kind: 'cut', on: /^\/api\/.*tree/, afterBytes: 100 }] });
    await expectSnapshot((await download()).folder, files);
    expect(hub!.requests.filter(({ url }) => url.includes('/tree/'))).toHaveLength(2);
  });

  it('requests a new link if one has expired', async () => {
    const { files } = await serve({
      faults: [
        { kind: 'cut', on, afterBytes: 100_000 },
        { kind: 'expire', on, uses: 1, times: 99 },
      ],
    });
    await expectSnapshot((await download()).folder, files);
    expect(starts()).toHaveLength(2);
  });

  it('retries if the storage refuses a new link', async () => {
    const { files } = await serve({ faults: [{ kind: 'status', on, status: 403 }] });
    await expectSnapshot((await download()).folder, files);
  });

  it.each([SHARD, 'tokenizer.json'])('recovers if a bit of %s is flipped once', async (name) => {
    const { files } = await serve({ faults: [{ kind: 'flip', on: new RegExp(name), atByte: 1 }] });
    await expectSnapshot((await download()).folder, files);
  });

  it.each([SHARD, 'tokenizer.json'])('never completes %s if a bit is always flipped', async (name) => {
    const { files } = await serve({ faults: [{ kind: 'flip', on: new RegExp(name), atByte: 1, times: 9 }] });
    await expect(download()).rejects.toThrow(`The downloaded bytes of ${name} twice did not match the hub's digest`);
    await expect(stat(join(repository(), 'blobs', sha256(files[SHARD]!)))).rejects.toThrow();
    await expect(stat(join(repository(), 'refs'))).rejects.toThrow();
    await expectTidy();
  });

  it('ends at once if the user stops it, and keeps the part', async () => {
    const { files } = await serve({ faults: [{ kind: 'stall', on, afterBytes: 50_000 }] });
    const controller = new AbortController();
    const stopped = download('org/name', {
      signal: controller.signal,
      // The other shard comes whole.
      onProgress: ({ doneBytes }) => doneBytes >= 350_000 && controller.abort(),
    });
    await expect(stopped).rejects.toThrow(/abort/i);
    expect((await stat(join(repository(), 'blobs', `${sha256(files[SHARD]!)}.incomplete`))).size).toBe(50_000);
  });
});

describe('a download is refused because', () => {
  async function refusalOf(model: string, token: string | null = null): Promise<{ message: string; hint: string }> {
    const error = await download(model, { environment: environment({ token }) }).then(
      () => null,
      (thrown) => thrown,
    );
    expect(error).toMatchObject({ name: expect.stringMatching(/^(ByteifyError|UsageError)$/) });
    return error;
  }

  it.each([null, TOKEN])('of a gated model, naming the page where its licence is accepted', async (token) => {
    const { hub } = await serve({ gated: ['org/name'], token: 'hf_another' });
    const { message, hint } = await refusalOf('org/name', token);
    expect(message).toBe('org/name is gated: the hub does not let this account read it.');
    expect(hint).toContain(`${hub.url}/org/name`);
    expect(hint).toContain('HF_TOKEN');
    expect(hint.includes('hf auth login')).toBe(token === null);
  });

  it.each([null, TOKEN])('of a missing model', async (token) => {
    await serve();
    expect((await refusalOf('org/none', token)).message).toBe(
      'There is no model org/none on the hub that this account can read.',
    );
  });

  it('of a missing revision, naming the existing ones', async () => {
    await serve({ repos: { 'org/name': hubModel(), 'org/name@v1': hubModel() } });
    const { message, hint } = await refusalOf('org/name@v9');
    expect(message).toBe('org/name has no revision "v9".');
    expect(hint).toContain('It has main, v1;');
  });

  it('of an invalid token', async () => {
    await serve();
    const refusing: typeof fetch = async () =>
      Response.json({}, { status: 401, headers: { 'x-error-message': 'Invalid credentials in Authorization header' } });
    const failing = download('org/name', { fetch: refusing, environment: environment({ token: TOKEN }) });
    await expect(failing).rejects.toThrow('The hub does not accept the token.');
  });

  it.each([
    [{ 'pytorch_model.bin': 'x', 'config.json': '{}' }, 'org/name has its weights only in pytorch_model.bin'],
    [{ 'model-q4.gguf': 'x' }, 'org/name contains GGUF files'],
    [{ 'adapter_config.json': '{}', 'adapter_model.safetensors': 'x' }, 'org/name is an adapter (adapter_config.json)'],
    [{ 'adapter_model.safetensors': 'x' }, 'org/name has adapter_model.safetensors, but no model.safetensors'],
    [{ 'config.json': '{}' }, 'org/name has no safetensors weights'],
    [
      { 'model.safetensors.index.json': '{"weight_map":{"a":"b.safetensors"}}' },
      'names b.safetensors, which the repository lacks',
    ],
    [{ 'model.safetensors.index.json': '{"weight_map":{"a":"../b"}}' }, 'names ../b, which the repository lacks'],
    [{ 'model.safetensors.index.json': '{' }, 'is not JSON'],
  ])('of a repository without usable weights: %j', async (files, message) => {
    const { hub } = await serve({ repos: { 'org/name': files as Record<string, string> } });
    expect((await refusalOf('org/name')).message).toContain(message);
    expect(hub.requests.filter(({ url }) => url.endsWith('.safetensors'))).toEqual([]);
  });

  it('of an invalid endpoint', async () => {
    const failing = download('org/name', { environment: environment({ endpoint: 'huggingface' }) });
    await expect(failing).rejects.toThrow('HF_ENDPOINT is not an http or https URL.');
  });

  it.each(['http://me:hunter2@127.0.0.1:9', 'http://hunter2@127.0.0.1:9'])(
    'of an endpoint with a password, which is not shown: %s',
    async (endpoint) => {
      const error = await download('org/name', { environment: environment({ endpoint }) }).catch((thrown) => thrown);
      expect(error).toMatchObject({ name: 'UsageError', message: expect.stringContaining('user name or password') });
      expect([error.stack, error.hint, String(error.cause)].join()).not.toContain('hunter2');
    },
  );

  it('of a listing with digests that would leave the cache', async () => {
    await serve();
    const lying: typeof fetch = async (input, init) => {
      const response = await fetch(input, init);
      return String(input).includes('/tree/')
        ? Response.json([{ type: 'file', path: 'model.safetensors', size: 1, oid: '../../../evil' }])
        : response;
    };
    await expect(download('org/name', { fetch: lying })).rejects.toThrow('without a valid size and digest');
  });

  it('of another process that downloads the same model', async () => {
    const on = /^\/cdn\//;
    await serve({ faults: [{ kind: 'stall', on, afterBytes: 10 }] });
    let second: Promise<unknown> | null = null;
    const controller = new AbortController();
    const first = download('org/name', {
      signal: controller.signal,
      onProgress: () => {
        second ??= download().finally(() => controller.abort());
        second.catch(() => undefined);
      },
    });
    await expect(first).rejects.toThrow(/abort/i);
    await expect(second).rejects.toThrow('Another process is downloading org/name');
  });
});

describe('the token', () => {
  it('is sent to the hub, not to the storage behind it', async () => {
    const { hub, files } = await serve({ gated: ['org/name'], token: TOKEN });
    await expectSnapshot((await download('org/name', { environment: environment({ token: TOKEN }) })).folder, files);
    const authorizations = (host: string) =>
      new Set(hub.requests.filter((request) => request.host === host).map(({ authorization }) => authorization));
    expect(authorizations('127.0.0.1')).toEqual(new Set([`Bearer ${TOKEN}`]));
    expect(authorizations('localhost')).toEqual(new Set([null]));
  });

  it('may have another format than the hub’s client expects', async () => {
    const { files } = await serve({ gated: ['org/name'], token: 'api_org_x' });
    await expectSnapshot(
      (await download('org/name', { environment: environment({ token: 'api_org_x' }) })).folder,
      files,
    );
  });

  it('appears in no error and no file', async () => {
    const secret = `${TOKEN}\u0001x`;
    await serve({
      gated: ['org/name'],
      faults: [{ kind: 'flip', on: /tokenizer/, atByte: 0, times: 9 }],
      token: TOKEN,
    });
    for (const [model, token] of [
      ['org/name', secret],
      ['org/none', TOKEN],
      ['org/name', `${TOKEN}2`],
      ['org/name', TOKEN],
    ] as const) {
      const error: unknown = await download(model, { environment: environment({ token }) }).catch((thrown) => thrown);
      for (let at = error as Error | undefined; at instanceof Error; at = at.cause as Error | undefined) {
        expect(`${at.stack} ${JSON.stringify(at)} ${at.message}`).not.toContain(TOKEN);
      }
    }
    for (const name of await readdir(cache(), { recursive: true })) {
      const path = join(cache(), name);
      if ((await stat(path)).isFile()) expect(await readFile(path, 'utf8')).not.toContain(TOKEN);
    }
  });
});

describe('without the hub', () => {
  const offline = () => ({ environment: environment({ offline: true }) });

  it('the cache is used if the hub must not be contacted', async () => {
    const { hub, files } = await serve();
    const { commit } = await download();
    const before = hub.requests.length;
    for (const model of ['org/name', `org/name@${commit}`]) {
      const found = await download(model, offline());
      await expectSnapshot(found.folder, files);
      expect([...found.files].sort()).toEqual(WANTED);
    }
    expect(hub.requests).toHaveLength(before);
  });

  it('the cache is used if the hub cannot be reached', async () => {
    const { files } = await serve();
    await download();
    await hub!.close();
    hub = null;
    await expectSnapshot((await download()).folder, files);
  });

  it('the cache is used if the hub is failing', async () => {
    const { files } = await serve();
    await download();
    await hub!.close();
    hub = await startHub({ repos: {}, faults: [{ kind: 'status', on: /./, status: 502, times: 99 }] });
    await expectSnapshot((await download()).folder, files);
  });

  it('an empty cache is reported in one sentence', async () => {
    await expect(download('org/name', offline())).rejects.toThrow(
      'Offline mode is on (HF_HUB_OFFLINE), and org/name is not in the cache.',
    );
    await expect(download('org/name@v1')).rejects.toThrow(
      /^The hub at http:\/\/127\.0\.0\.1:1 cannot be reached \(.+\), and org\/name@v1 is not in the cache\.$/,
    );
  });

  it('part of a model does not count as the whole', async () => {
    const { files } = await serve({ faults: [{ kind: 'stall', on: /00002-of/, afterBytes: 10 }] });
    const controller = new AbortController();
    // Of the files under way the first is named: the second, once the first is whole.
    const onProgress = ({ path }: { path: string }) => path !== SHARD && controller.abort();
    await expect(download('org/name', { signal: controller.signal, onProgress })).rejects.toThrow(/abort/i);
    const [commit = ''] = await readdir(join(repository(), 'snapshots'));
    expect(await readdir(join(repository(), 'snapshots', commit))).toContain(SHARD);
    // As Python does, which writes the ref first.
    await mkdir(join(repository(), 'refs'));
    await writeFile(join(repository(), 'refs', 'main'), commit);
    await expect(download('org/name', offline())).rejects.toThrow(
      /org\/name is incomplete in the cache: .*names model-00002-of-00002\.safetensors, which the repository lacks/,
    );
    await expectSnapshot((await download()).folder, files);
  });
});
