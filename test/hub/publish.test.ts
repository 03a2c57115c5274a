import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import {
  downloadModel,
  hashPaths,
  openHubClient,
  parseOrigin,
  planPublication,
  publish,
  publishedPaths,
  writingAccount,
} from '../../src/hub/index.js';
import { type Hub, type HubOptions, startHub } from '../support/hub-server.js';
import { hubUploads, type UploadOptions, type Uploads } from '../support/hub-uploads.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const TOKEN = 'hf_secretsecretsecret';
const ID = 'me/model';
const SHARDS = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'] as const;
const SHARD_BYTES = 400_000;
const ANYTHING = { isKnown: () => true, include: [] };
const work = temporaryFolder();
let hub: Hub;
let uploads: Uploads;

afterEach(() => hub?.close());

const ACCOUNTS = {
  [TOKEN]: { name: 'me', orgs: ['team'] },
  hf_reader: { name: 'me', role: 'read' as const },
  hf_other: { name: 'other' },
};

async function serve(
  options: Partial<UploadOptions> & Omit<Partial<HubOptions>, 'faults'> = {},
  faults: HubOptions['faults'] = [],
) {
  uploads = hubUploads({ folder: join(work(), 'storage'), accounts: ACCOUNTS, ...options });
  await mkdir(join(work(), 'storage'), { recursive: true });
  hub = await startHub({ repos: {}, ...options, faults, uploads: uploads.routes });
}

function provenance(source: string, recipe: string, training?: string) {
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
  return JSON.stringify({
    source: { model: source, files: [{ name: 'model.safetensors', sha256: sha256(source) }] },
    recipe: {
      name: recipe.split('+')[0],
      sha256: sha256(recipe),
      ...(training && { training_sha256: sha256(training) }),
    },
  });
}

/** What a publish looks at: sizes and digests. That it loads is another test's matter. */
async function exportFolder(changes: Record<string, string | Uint8Array | null> = {}): Promise<string> {
  const folder = join(work(), `export-${randomBytes(4).toString('hex')}`);
  const files: Record<string, string | Uint8Array | null> = {
    'README.md': '---\nlicense: apache-2.0\n---\n# A model\n',
    'config.json': '{"model_type": "blt"}',
    'model.safetensors.index.json': JSON.stringify({ weight_map: { a: SHARDS[0], b: SHARDS[1] } }),
    'provenance.json': provenance('org/llama', 'tiny'),
    [SHARDS[0]]: randomBytes(SHARD_BYTES),
    [SHARDS[1]]: randomBytes(SHARD_BYTES),
    '.byteify-output.json': '{}',
    ...changes,
  };
  await mkdir(folder);
  for (const [name, contents] of Object.entries(files)) {
    if (contents !== null) await writeFile(join(folder, name), contents);
  }
  return folder;
}

interface Options {
  id?: string;
  token?: string | null;
  force?: boolean;
  isPrivate?: boolean;
  signal?: AbortSignal;
  onProgress?: (event: { doneBytes: number; totalBytes: number }) => void;
}

const environment = (token: string | null) => ({
  endpoint: hub.url,
  cacheDir: join(work(), 'cache'),
  token,
  offline: false,
});

function line({ token = TOKEN, signal }: Options) {
  return openHubClient({ environment: environment(token), sleep: async () => undefined, ...(signal && { signal }) });
}

async function plan(folder: string, options: Options = {}) {
  return planPublication(line(options), {
    repository: options.id ?? ID,
    files: await hashPaths(folder, await publishedPaths(folder, ANYTHING)),
    origin: parseOrigin(await readFile(join(folder, 'provenance.json'), 'utf8').catch(() => '')),
  });
}

async function send(folder: string, options: Options = {}) {
  const { force = false, isPrivate = false, onProgress } = options;
  const account = await writingAccount(line(options));
  return publish(line(options), await plan(folder, options), {
    force,
    isPrivate,
    account,
    card: await readFile(join(folder, 'README.md'), 'utf8'),
    ...(onProgress && { onProgress }),
  });
}

const posts = () => hub.requests.filter(({ method }) => method !== 'GET' && method !== 'HEAD');
const commits = () => hub.requests.filter(({ url }) => /\/commit\/main$/.test(url));

/** Our own client brings the same bytes, verified. */
async function expectPublished(folder: string, id = ID): Promise<void> {
  const { folder: there } = await downloadModel(id, { environment: environment(TOKEN), sleep: async () => undefined });
  for (const name of ['config.json', ...SHARDS]) {
    expect(Buffer.compare(await readFile(join(there, name)), await readFile(join(folder, name))), name).toBe(0);
  }
}

describe('a file that changes after it was hashed', () => {
  it.each([
    ['a weight file', SHARDS[0]],
    ['a small file', 'config.json'],
  ])('is not sent: %s', async (_what, name) => {
    await serve();
    const folder = await exportFolder();
    const publication = await plan(folder);
    const account = await writingAccount(line({}));
    await rm(join(folder, name));
    await symlink(join(work(), 'secret'), join(folder, name));
    await writeFile(join(work(), 'secret'), 'PRIVATE KEY');
    const sent = publish(line({}), publication, { force: false, isPrivate: false, account, card: '' });
    await expect(sent).rejects.toThrow(`${name} changed while it was being published`);
    expect(commits()).toEqual([]);
  });
});

describe('publishing', () => {
  it('creates the repository and uploads every file that is not hidden', async () => {
    await serve();
    const folder = await exportFolder();
    const events: number[] = [];
    const { created, sentBytes, publication, commit } = await send(folder, {
      onProgress: ({ doneBytes, totalBytes }) => {
        expect(doneBytes).toBeLessThanOrEqual(totalBytes);
        events.push(doneBytes);
      },
    });
    expect(created).toBe(true);
    expect(publication.changes.upload.map(({ path }) => path)).toEqual([
      'README.md',
      'config.json',
      ...SHARDS,
      'model.safetensors.index.json',
      'provenance.json',
    ]);
    expect(sentBytes).toBe(publication.files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
    // Byte by byte, not file by file: half a shard is seen.
    expect(events.some((bytes) => bytes > 0 && bytes < SHARD_BYTES)).toBe(true);
    expect(Math.max(...events)).toBeGreaterThanOrEqual(2 * SHARD_BYTES);
    expect(commit).toMatch(/^[0-9a-f]{40}$/);
    await expectPublished(folder);
  });

  it('uploads and writes nothing the second time', async () => {
    await serve();
    const folder = await exportFolder();
    const first = await send(folder);
    const [before, objects] = [posts().length, uploads.received.length];
    const { publication, commit, sentBytes, created } = await send(folder);
    expect(publication.changes).toMatchObject({ upload: [], remove: [] });
    expect({ commit, sentBytes, created }).toEqual({ commit: first.commit, sentBytes: 0, created: false });
    expect(uploads.received).toHaveLength(objects);
    expect(posts().slice(before)).toMatchObject([{ url: '/api/validate-yaml' }]);
  });

  it('sends only what changed, and removes files that would be read instead', async () => {
    await serve();
    const folder = await exportFolder({ 'vocab.json': '{}', 'picture.md': 'kept' });
    await send(folder);
    const next = await exportFolder({
      'config.json': await readFile(join(folder, 'config.json')),
      'model.safetensors.index.json': null,
      [SHARDS[0]]: null,
      [SHARDS[1]]: null,
      'model.safetensors': randomBytes(SHARD_BYTES),
    });
    const { publication, sentBytes } = await send(next);
    expect(publication.changes.upload.map(({ path }) => path)).toEqual(['model.safetensors']);
    expect(publication.changes.remove).toEqual([...SHARDS, 'model.safetensors.index.json', 'vocab.json']);
    expect(sentBytes).toBe(SHARD_BYTES);
    const { files } = await downloadModel(ID, { environment: environment(TOKEN) });
    expect(files.filter((file) => file.includes('safetensors'))).toEqual(['model.safetensors']);
    expect((await plan(next)).changes).toMatchObject({ upload: [], remove: [] });
  });

  it('creates a private repository on request, and refuses an existing public one', async () => {
    await serve();
    const folder = await exportFolder();
    const { publication } = await send(folder, { isPrivate: true });
    expect(publication.repository?.private).toBe(true);
    await expectPublished(folder);
    await expect(downloadModel(ID, { environment: environment(null) })).rejects.toThrow('There is no model me/model');
    await send(folder, { id: 'me/open' });
    await expect(send(folder, { id: 'me/open', isPrivate: true })).rejects.toThrow(
      'me/open already exists and is public',
    );
  });

  it('works for an organisation', async () => {
    await serve();
    const folder = await exportFolder();
    await send(folder, { id: 'team/model' });
    await expectPublished(folder, 'team/model');
  });
});

describe('another model in the repository', () => {
  it.each([
    [
      'from another source',
      { 'provenance.json': provenance('org/other', 'tiny') },
      /one made from org\/llama by the recipe tiny\./,
    ],
    ['by another recipe', { 'provenance.json': provenance('org/llama', 'tiny+steps') }, /tiny with other settings/],
    ['of unknown origin', { 'provenance.json': null }, /one made from org\/llama/],
  ])('is not replaced if this one is %s, except with --force', async (_what, changes, sentence) => {
    await serve();
    await send(await exportFolder());
    const other = await exportFolder(changes);
    const before = commits().length;
    await expect(send(other)).rejects.toThrow(sentence);
    expect(commits()).toHaveLength(before);
    await send(other, { force: true });
    await expectPublished(other);
  });

  it('is not assumed if the same training is exported with other settings', async () => {
    await serve();
    await send(await exportFolder({ 'provenance.json': provenance('org/llama', 'tiny', 'steps') }));
    const again = await exportFolder({ 'provenance.json': provenance('org/llama', 'tiny+data-sources', 'steps') });
    await send(again);
    await expectPublished(again);
    const other = await exportFolder({ 'provenance.json': provenance('org/llama', 'tiny', 'more steps') });
    await expect(send(other)).rejects.toThrow('tiny with other settings');
  });

  it('is not replaced, whatever tool uploaded it', async () => {
    await serve({ repos: { [ID]: { 'README.md': 'x', 'weights/model.gguf': 'y' } } });
    await expect(send(await exportFolder())).rejects.toThrow(
      'me/model contains another model: weights/model.gguf, which does not belong to this model.',
    );
  });

  it('is not assumed in a repository without weights and config, or with these very files', async () => {
    const folder = await exportFolder({ 'provenance.json': null });
    const config = await readFile(join(folder, 'config.json'));
    await serve({ repos: { [ID]: { 'README.md': 'a plan', LICENSE: 'terms' }, 'me/part': { 'config.json': config } } });
    await send(folder);
    await expectPublished(folder);
    expect((await send(folder, { id: 'me/part' })).publication.changes.unchanged).toMatchObject([
      { path: 'config.json' },
    ]);
  });

  it('is not overwritten if it was uploaded meanwhile', async () => {
    await serve();
    const folder = await exportFolder();
    await send(folder);
    const next = await exportFolder();
    const late = await plan(next);
    await send(await exportFolder());
    const publishing = publish(line({}), late, {
      force: false,
      isPrivate: false,
      account: { name: 'me', organisations: [] },
      card: '',
    });
    await expect(publishing).rejects.toThrow('Somebody else changed me/model during the upload.');
  });
});

const ON = {
  object: /^\/lfs\/object\//,
  part: /^\/lfs\/part\//,
  complete: /^\/lfs\/complete\//,
  commit: /\/commit\/main$/,
  batch: /objects\/batch$/,
  create: /repos\/create$/,
  listing: /\/tree\//,
  provenance: /\/resolve\/.*\/provenance\.json$/,
  anything: /./,
};

describe('on a bad network, publishing', () => {
  it.each<[string, Partial<UploadOptions>, HubOptions['faults']]>([
    ['503 on an object', {}, [{ kind: 'status', status: 503, on: ON.object, times: 3 }]],
    ['429 with Retry-After', {}, [{ kind: 'status', status: 429, retryAfterSeconds: 1, on: ON.object }]],
    ['503 on a part', { partBytes: 150_000 }, [{ kind: 'status', status: 503, on: ON.part, times: 3 }]],
    ['503 when parts are put together', { partBytes: 150_000 }, [{ kind: 'status', status: 503, on: ON.complete }]],
    ['503 on the commit', {}, [{ kind: 'status', status: 503, on: ON.commit, times: 2 }]],
    ['a cut inside the listing', {}, [{ kind: 'cut', on: ON.listing, afterBytes: 20, times: 2 }]],
    ['503 on everything once', {}, [{ kind: 'status', status: 503, on: ON.anything, times: 4 }]],
    ['a cut inside an object', { faults: [{ kind: 'cut', on: ON.object, afterBytes: 200_000, times: 2 }] }, []],
    [
      'a cut inside a part',
      { partBytes: 150_000, faults: [{ kind: 'cut', on: ON.part, afterBytes: 1, times: 3 }] },
      [],
    ],
    [
      'a link that expired',
      { faults: [{ kind: 'refuse', on: ON.object, status: 403, error: 'expired', times: 2 }] },
      [],
    ],
    ['a lost response to the creation', { faults: [{ kind: 'lost-answer', on: ON.create }] }, []],
    ['a lost response to the commit', { faults: [{ kind: 'lost-answer', on: ON.commit }] }, []],
    ['a lost response to an object', { faults: [{ kind: 'lost-answer', on: ON.object, times: 2 }] }, []],
  ])('succeeds despite %s', async (_what, options, faults) => {
    await serve(options, faults);
    const folder = await exportFolder();
    const { publication, commit } = await send(folder);
    await expectPublished(folder);
    expect((await plan(folder)).changes.upload).toEqual([]);
    expect((await plan(folder)).repository?.commit).toBe(commit);
    expect(publication.changes.upload).toHaveLength(6);
  });

  it('fails in one sentence if it does not recover, and does not send again what was uploaded', async () => {
    await serve({}, [{ kind: 'status', status: 503, on: ON.commit, times: 6 }]);
    const folder = await exportFolder();
    await expect(send(folder)).rejects.toMatchObject({
      message: 'The hub is busy: it repeatedly answered 503.',
      hint: expect.stringContaining('not sent twice'),
    });
    const before = uploads.received.length;
    expect(before).toBe(2);
    const small =
      (await plan(folder)).changes.upload.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) - 2 * SHARD_BYTES;
    expect((await send(folder)).sentBytes).toBe(small);
    expect(uploads.received).toHaveLength(before);
    await expectPublished(folder);
  });

  it('fails in one sentence and overwrites nothing if the remote metadata is always truncated', async () => {
    await serve({}, [{ kind: 'cut', on: ON.provenance, afterBytes: 5, times: 6 }]);
    await send(await exportFolder());
    const before = commits().length;
    await expect(send(await exportFolder())).rejects.toThrow(/^The hub at .* cannot be reached: /);
    expect(commits()).toHaveLength(before);
    await send(await exportFolder());
  });

  it('keeps one file in the storage if the other is cut again and again', async () => {
    const folder = await exportFolder({ [SHARDS[1]]: randomBytes(10) });
    await serve({ faults: [{ kind: 'cut', on: ON.object, afterBytes: 100_000, times: 7 }] });
    await expect(send(folder)).rejects.toThrow(/cannot be reached/);
    expect((await plan(folder)).changes.upload).toHaveLength(6);
    expect(commits()).toEqual([]);
    const before = uploads.received.length;
    await send(folder);
    expect(uploads.received.slice(before)).toMatchObject([{ bytes: SHARD_BYTES }]);
    await expectPublished(folder);
  });

  it('names a storage that keeps refusing', async () => {
    await serve({ faults: [{ kind: 'refuse', on: ON.object, status: 403, error: 'no', times: 100 }] });
    await expect(send(await exportFolder())).rejects.toThrow(
      'The storage behind the hub rejected the files: it answered 403.',
    );
    expect(commits()).toEqual([]);
  });
});

async function requested(path: RegExp): Promise<void> {
  while (!hub.requests.some(({ url }) => path.test(new URL(url, hub.url).pathname))) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('stopping a publication', () => {
  it.each([
    ['while an object is sent', ON.object],
    ['while the commit is made', ON.commit],
    ['while the repository is created', ON.create],
  ])('%s ends it at once', async (_when, on) => {
    await serve({ faults: [{ kind: 'stall', on, times: 10 }] });
    const folder = await exportFolder();
    const controller = new AbortController();
    const publishing = send(folder, { signal: controller.signal });
    await requested(on);
    const reason = new DOMException('Stopped by SIGINT.', 'AbortError');
    controller.abort(reason);
    await expect(publishing).rejects.toBe(reason);
  });

  it('while a file is hashed ends it at once', async () => {
    class NeverRead extends Blob {
      override readonly size = SHARD_BYTES;
      override slice = () => new Blob(['the first bytes']);
      override arrayBuffer = () => new Promise<never>(() => undefined);
    }
    await serve({ repos: { [ID]: { 'README.md': '' } } });
    const planned = await plan(await exportFolder());
    const upload = planned.changes.upload.map((file) => ({ ...file, content: new NeverRead([]) }));
    const controller = new AbortController();
    const publishing = publish(
      line({ signal: controller.signal }),
      { ...planned, changes: { ...planned.changes, upload } },
      { force: false, isPrivate: false, account: { name: 'me', organisations: [] }, card: '' },
    );
    await requested(/preupload/);
    controller.abort(new Error('enough'));
    await expect(publishing).rejects.toThrow('enough');
  });

  it('before the commit leaves the repository unchanged', async () => {
    await serve({ faults: [{ kind: 'stall', on: ON.commit }] });
    const folder = await exportFolder();
    const controller = new AbortController();
    const publishing = send(folder, { signal: controller.signal });
    await requested(ON.commit);
    controller.abort();
    await expect(publishing).rejects.toThrow(/abort/i);
    expect((await plan(folder)).changes.unchanged).toEqual([]);
    await send(folder);
    await expectPublished(folder);
  });
});

describe('a refusal of the hub', () => {
  it.each<[string, Options, Partial<UploadOptions>, RegExp, RegExp]>([
    [
      'no token',
      { token: null },
      {},
      /needs a token with write permission, and there is none/,
      /hf auth login.*HF_TOKEN/,
    ],
    ['an unknown token', { token: 'hf_revoked' }, {}, /does not recognise this token/, /hf auth login/],
    ['a read-only token', { token: 'hf_reader' }, {}, /The token of me is read-only/, /settings\/tokens/],
    [
      'somebody else’s name',
      { token: 'hf_other' },
      {},
      /other may not create repositories for me\./,
      /Publish as other\/model/,
    ],
    [
      'an owner that does not allow it',
      {},
      { faults: [{ kind: 'refuse', on: /preupload/, status: 403, error: 'You need write permission' }] },
      /This token may not write to me\/model\. The hub says: "You need write permission"/,
      /settings\/tokens/,
    ],
    [
      'a full storage',
      {},
      { faults: [{ kind: 'refuse', on: ON.batch, status: 403, error: 'Private repository storage limit reached' }] },
      /The hub has no storage left for me\/model\. The hub says: "Private repository storage limit reached"/,
      /settings\/billing/,
    ],
    [
      'a file that is too large',
      {},
      { faults: [{ kind: 'refuse', on: ON.batch, status: 413, error: 'too large' }] },
      /no storage left/,
      /billing/,
    ],
    [
      'a commit that the hub rejects',
      {},
      { faults: [{ kind: 'refuse', on: ON.commit, status: 400, error: `Bad: ${TOKEN}` }] },
      /The hub rejected the upload to me\/model \(400\)\. The hub says: "Bad: \*\*\*"/,
      /The repository was not changed/,
    ],
  ])('is one sentence with the next step: %s', async (_what, options, uploadOptions, message, hint) => {
    await serve(uploadOptions);
    const error = await send(await exportFolder(), options).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      name: 'ByteifyError',
      message: expect.stringMatching(message),
      hint: expect.stringMatching(hint),
    });
    const { stack, cause, message: text } = error as Error;
    expect([text, stack, String(cause)].join()).not.toContain(TOKEN);
  });

  it('shows no part of the token even if it is truncated', async () => {
    const error = `${'x'.repeat(300 - TOKEN.length / 2)}${TOKEN}`;
    await serve({ faults: [{ kind: 'refuse', on: ON.commit, status: 400, error }] });
    await expect(send(await exportFolder())).rejects.toThrow(/The hub says: "x+\**"$/);
  });

  it('precedes any upload if the card is not valid YAML', async () => {
    await serve();
    const folder = await exportFolder({ 'README.md': '---\nlicense: [\n---\n' });
    await expect(send(folder)).rejects.toThrow('The hub rejects README.md: Invalid YAML in the metadata');
    expect(posts().map(({ url }) => url)).toEqual(['/api/validate-yaml']);
  });

  it('is reported for a renamed repository', async () => {
    await serve({ repos: { 'me/new': { 'README.md': '' } }, renamed: { [ID]: 'me/new' } });
    await expect(send(await exportFolder())).rejects.toMatchObject({
      message: 'me/model was renamed to me/new.',
      hint: 'Publish to me/new.',
    });
  });

  it('is reported for a name that a hidden repository has', async () => {
    await serve({ faults: [{ kind: 'refuse', on: ON.create, status: 409, error: 'exists' }] });
    await expect(send(await exportFolder())).rejects.toThrow(
      'me/model is taken by a repository that this account may not see.',
    );
  });

  it.each(['model', 'me/', '/model', 'me/model/x', 'me/mo--del', 'me/model.git', `me/${'x'.repeat(95)}`, 'me/mo del'])(
    'is reported for a name that the hub does not allow: %s',
    async (id) => {
      await serve();
      await expect(send(await exportFolder(), { id })).rejects.toMatchObject({ name: 'UsageError', exitCode: 2 });
      expect(posts()).toEqual([]);
    },
  );
});

describe('a storage that corrupts uploads', () => {
  it.each([
    ['an object', {}, ON.object],
    ['an object in parts', { partBytes: 150_000 }, ON.complete],
  ])('is detected: %s', async (_what, options, on) => {
    await serve({ ...options, faults: [{ kind: 'corrupt', on }] });
    await expect(send(await exportFolder())).rejects.toThrow(
      /^me\/model has other bytes than were sent for model-0000[12]-of-00002\.safetensors\.$/,
    );
  });
});

describe('the token', () => {
  it('is sent only to the hub, in its header', async () => {
    await serve({ partBytes: 150_000 });
    await send(await exportFolder());
    for (const { url, host, authorization } of hub.requests) {
      expect(url).not.toContain(TOKEN);
      expect(authorization, url).toBe(host === '127.0.0.1' ? `Bearer ${TOKEN}` : null);
    }
    expect(hub.requests.some(({ host }) => host === 'localhost')).toBe(true);
  });

  it('may have a format that the hub’s client does not know', async () => {
    await serve({ accounts: { api_org_123: { name: 'me' } } });
    const folder = await exportFolder();
    expect((await send(folder, { token: 'api_org_123' })).created).toBe(true);
  });
});

it('a dry run sends no writing request, and needs no token', async () => {
  await serve();
  const folder = await exportFolder();
  expect((await plan(folder, { token: null })).repository).toBeNull();
  await send(folder);
  const before = hub.requests.length;
  const { repository, changes, url } = await plan(folder, { token: null });
  expect(repository?.private).toBe(false);
  expect(changes.unchanged).toHaveLength(6);
  expect(url).toBe(`${hub.url}/me/model`);
  expect(
    hub.requests
      .slice(before)
      .map(({ method }) => method)
      .every((method) => method === 'GET'),
  ).toBe(true);
});

it('nothing is published offline', async () => {
  await serve();
  expect(() => openHubClient({ environment: { ...environment(TOKEN), offline: true } })).toThrow(
    'HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE is set',
  );
});
