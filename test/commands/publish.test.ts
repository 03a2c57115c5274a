import { appendFile, cp, mkdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { publishCommand } from '../../src/commands/publish.js';
import { openConversion } from '../../src/conversion/index.js';
import { exportTransformers } from '../../src/export/index.js';
import { digestOf } from '../../src/fs/index.js';
import { cardFromManifest } from '../../src/release/index.js';
import { type Hub, startHub } from '../support/hub-server.js';
import { hubUploads } from '../support/hub-uploads.js';
import { runCommand } from '../support/run-command.js';
import { temporaryFolder } from '../support/temporary-folder.js';

/** The requirements themselves are tested in test/release. */
const releaseViolations = vi.hoisted(() => vi.fn());
vi.mock('../../src/release/index.js', async (original) => ({ ...(await original<object>()), releaseViolations }));

const GOLDEN = fileURLToPath(new URL('../fixtures/golden/plain/blt', import.meta.url));
const TOKEN = 'hf_secretsecretsecret';
const ID = 'me/model';
const work = temporaryFolder();
let hub: Hub;

beforeEach(async () => {
  releaseViolations.mockReset().mockResolvedValue([]);
  const uploads = hubUploads({ folder: join(work(), 'storage'), accounts: { [TOKEN]: { name: 'me' } } });
  hub = await startHub({
    repos: { 'me/taken': { 'config.json': '{}', 'model.safetensors': 'weights' } },
    uploads: uploads.routes,
  });
  vi.stubEnv('HF_ENDPOINT', hub.url);
  vi.stubEnv('HF_TOKEN', TOKEN);
  vi.stubEnv('HF_HUB_OFFLINE', '');
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await hub.close();
});

async function exportTo(out: string): Promise<string> {
  const card = cardFromManifest(null, { name: 'tiny' });
  await exportTransformers({ from: GOLDEN, out, dtype: 'float32', maxShardBytes: 400_000, card, ownsOut: true });
  return out;
}

const exported = () => exportTo(join(work(), 'blt'));

/** A conversion whose last two stages are done. */
async function conversion(run: object, exportedFrom: object): Promise<string> {
  const folder = join(work(), 'conversion');
  const opened = await openConversion(folder);
  await exportTo(opened.path('export'));
  const done = {
    state: 'done' as const,
    started: '2025-01-01T00:00:00.000Z',
    finished: null,
    seconds: 1,
    files: [],
    metrics: {},
  };
  const finetune = { ...done, inputs: {}, ...run };
  await opened.update((manifest) => ({
    ...manifest,
    model: 'org/llama',
    stages: { finetune, export: { ...done, inputs: { run: digestOf({ ...finetune, ...exportedFrom }) } } },
  }));
  await opened.close();
  return folder;
}

const publish = (dir: string, more: object = {}, options: { json?: boolean } = {}) =>
  runCommand(publishCommand, { dir, repository: ID, ...more }, options);

const writing = () => hub.requests.filter(({ method }) => method !== 'GET' && method !== 'HEAD');

describe('publish', () => {
  it('uploads an export to a repository and prints the result, and does nothing in a second run', async () => {
    const dir = await exported();
    const { stdout, stderr, error } = await publish(dir, {}, { json: true });
    expect(error).toBeNull();
    const document = JSON.parse(stdout);
    expect(document).toMatchObject({
      repository: ID,
      url: `${hub.url}/${ID}`,
      commit: expect.stringMatching(/^[0-9a-f]{40}$/),
      created: true,
      private: false,
      skipped: [],
      removed: [],
    });
    expect(document.uploaded).toContain('README.md');
    expect(document.uploaded).toContain('tokenizer.json');
    expect(document.uploaded.filter((path: string) => path.endsWith('.safetensors')).length).toBeGreaterThan(1);
    expect(document.sent_bytes).toBe(document.total_bytes);
    // The plan is printed before anything is sent.
    expect(stderr).toMatch(/README\.md +[\d.]+ KB +upload[\s\S]*to upload to http:[\s\S]*Uploading to me\/model/);
    expect(stderr).toMatch(/Verifying the uploaded files: \d+ files, sizes and digests match/);
    const again = await publish(dir, {}, { json: true });
    expect(JSON.parse(again.stdout)).toMatchObject({
      commit: document.commit,
      created: false,
      uploaded: [],
      skipped: document.uploaded,
      sent_bytes: 0,
    });
  });

  it('prints the address', async () => {
    const { stdout } = await publish(await exported());
    expect(stdout).toContain(`repository  ${hub.url}/${ID}\n`);
    expect(stdout).toMatch(/^commit +[0-9a-f]{40}$/m);
    expect(stdout).not.toContain('removed');
  });

  it('prints the files that it removed', async () => {
    const { stdout } = await publish(await exported(), { repository: 'me/taken', force: true });
    expect(stdout).toMatch(/^removed +model\.safetensors$/m);
  });

  it('never shows the token', async () => {
    const dir = await exported();
    const seen = [
      await publish(dir),
      await publish(dir, {}, { json: true }),
      await publish(dir, { repository: 'you/x' }),
    ];
    expect(JSON.stringify(seen)).not.toContain(TOKEN);
  });

  it('accepts a conversion or its export, and checks the export against the manifest', async () => {
    const folder = await conversion({}, {});
    for (const dir of [folder, join(folder, 'blt')]) {
      expect((await publish(dir, { acceptLicense: 'llama3.2' })).error).toBeNull();
      expect(releaseViolations).toHaveBeenLastCalledWith({
        folder: join(folder, 'blt'),
        manifest: expect.objectContaining({ model: 'org/llama' }),
        repository: ID,
        acceptedLicense: 'llama3.2',
      });
    }
  });

  it('refuses a conversion whose export is older than its run', async () => {
    const { error } = await publish(await conversion({}, { seconds: 2 }));
    expect(error).toMatchObject({
      message: expect.stringContaining('is older than its training'),
      hint: expect.stringContaining('--restart-from export'),
      exitCode: 2,
    });
  });

  it('refuses a conversion without an export', async () => {
    const folder = join(work(), 'new');
    await (await openConversion(folder)).close();
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'byteify.json'), await readFile(join(await conversion({}, {}), 'byteify.json')));
    const text = JSON.parse(await readFile(join(folder, 'byteify.json'), 'utf8'));
    delete text.stages.export;
    await writeFile(join(folder, 'byteify.json'), JSON.stringify(text));
    expect((await publish(folder)).error).toMatchObject({ message: `${folder} has no finished export.`, exitCode: 2 });
  });

  it('refuses a folder that is neither, and one that does not exist', async () => {
    const missing = join(work(), 'nowhere');
    expect((await publish(missing)).error).toMatchObject({
      message: `${missing} is neither a conversion nor an exported folder.`,
      hint: expect.stringContaining('does not exist'),
      exitCode: 2,
    });
    expect((await publish(work())).error).toMatchObject({ hint: expect.stringContaining('no config.json') });
  });

  it('names every requirement that is not met, and sends nothing', async () => {
    releaseViolations.mockResolvedValue([
      { sentence: 'The licence is missing.', hint: 'Add it.' },
      { sentence: 'The name is wrong.', hint: 'Change it.' },
    ]);
    const { stderr, error } = await publish(await exported());
    expect(stderr).toContain('warning: The licence is missing. Add it.\n');
    expect(stderr).toContain('warning: The name is wrong. Change it.\n');
    expect(error).toMatchObject({ message: expect.stringContaining('2 requirements are not met'), exitCode: 1 });
    expect(writing()).toEqual([]);
  });
});

describe('a file that is not part of the export', () => {
  it('stops publishing before any writing request, unless it is included', async () => {
    const dir = await exported();
    await writeFile(join(dir, 'notes.txt'), 'private');
    for (const dryRun of [true, false]) {
      const { error } = await publish(dir, { dryRun });
      expect(error).toMatchObject({ message: expect.stringContaining('notes.txt'), exitCode: 1 });
    }
    expect(writing()).toEqual([]);
    const { stdout, stderr, error } = await publish(dir, { include: ['notes.txt'] }, { json: true });
    expect(error).toBeNull();
    expect(JSON.parse(stdout).uploaded).toContain('notes.txt');
    expect(stderr).toMatch(/notes\.txt +\d+ B +upload[\s\S]*Uploading to me\/model/);
  });

  it('is not sent if it is a link to a file elsewhere, whatever its name', async () => {
    const dir = await exported();
    await writeFile(join(work(), 'id_rsa'), 'PRIVATE KEY');
    for (const name of ['notes.txt', 'LICENSE']) {
      await symlink(join(work(), 'id_rsa'), join(dir, name));
      for (const include of [[], [name]]) {
        const { error } = await publish(dir, { include });
        expect(error).toMatchObject({ message: expect.stringContaining(`${name} is a link to `) });
      }
      await rm(join(dir, name));
    }
    expect(writing()).toEqual([]);
  });
});

describe('a dry run', () => {
  it('shows every file and sends no writing request, with or without a token', async () => {
    const dir = await exported();
    for (const token of [TOKEN, '']) {
      vi.stubEnv('HF_TOKEN', token);
      vi.stubEnv('HF_TOKEN_PATH', join(work(), 'none'));
      const { stdout, error } = await publish(dir, { dryRun: true });
      expect(error).toBeNull();
      expect(stdout).toMatch(/^config\.json +[\d.]+ KB +upload$/m);
      expect(stdout).toMatch(/[\d.]+ KB of [\d.]+ KB to upload to http:\/\/127\.0\.0\.1:\d+\/me\/model \(new\)\n$/);
    }
    expect(hub.requests.length).toBeGreaterThan(0);
    expect(writing()).toEqual([]);
  });

  it('prints one JSON document', async () => {
    const dir = await exported();
    await publish(dir);
    const { stdout } = await publish(dir, { dryRun: true }, { json: true });
    const document = JSON.parse(stdout);
    expect(document).toMatchObject({ repository: ID, exists: true, private: false, upload_bytes: 0, removed: [] });
    expect(document.files[0]).toEqual({
      path: 'README.md',
      size_bytes: expect.any(Number),
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      change: 'none',
    });
  });

  it('fails where publishing would fail', async () => {
    const { stdout, error } = await publish(await exported(), { dryRun: true, repository: 'me/taken' });
    expect(stdout).toMatch(/model\.safetensors +remove/);
    expect(error).toMatchObject({ message: expect.stringContaining('me/taken contains another model'), exitCode: 1 });
    expect(
      (await publish(join(work(), 'blt'), { dryRun: true, repository: 'me/taken', force: true })).error,
    ).toBeNull();
  });
});

describe('an invalid export is refused with the reason', () => {
  const SHARD = 'model-00002-of-00003.safetensors';
  it.each<[string, (dir: string) => Promise<unknown>, RegExp]>([
    ['no card', (dir) => rm(join(dir, 'README.md')), /lacks README\.md/],
    ['no tokenizer', (dir) => rm(join(dir, 'tokenizer.json')), /lacks tokenizer\.json/],
    [
      'a tokenizer that is not JSON',
      (dir) => writeFile(join(dir, 'tokenizer_config.json'), '{'),
      /tokenizer_config\.json is not JSON: /,
    ],
    ['another config', (dir) => writeFile(join(dir, 'config.json'), '{"model_type": "llama"}'), /config\.json/],
    ['a missing shard', (dir) => rm(join(dir, SHARD)), /model-00002-of-00003\.safetensors does not exist/],
    ['a truncated shard', (dir) => truncate(join(dir, SHARD), 100_000), /not a valid safetensors file/],
    [
      'a shard that is too long',
      (dir) => appendFile(join(dir, SHARD), 'x'),
      /continues for 1 byte after the last tensor/,
    ],
    [
      'a shard of an earlier export',
      (dir) => cp(join(dir, SHARD), join(dir, 'model-00002-of-00004.safetensors')),
      /contains model-00002-of-00004\.safetensors, which is not part of its checkpoint/,
    ],
    [
      'an index without a shard',
      async (dir) => {
        const path = join(dir, 'model.safetensors.index.json');
        const index = JSON.parse(await readFile(path, 'utf8'));
        for (const [name, shard] of Object.entries(index.weight_map))
          if (shard === SHARD) delete index.weight_map[name];
        await writeFile(path, JSON.stringify(index));
      },
      /lacks model\./,
    ],
  ])('%s', async (_what, spoil, message) => {
    const dir = await exported();
    await spoil(dir);
    const { error } = await publish(dir);
    expect(error).toMatchObject({ message: expect.stringMatching(message) });
    expect(writing()).toEqual([]);
  });
});
