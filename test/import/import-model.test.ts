import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import {
  cp,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  realpath,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { importModel } from '../../src/import/index.js';
import { type LlamaSource, openLlama } from '../../src/llama/index.js';
import { loadTokenizer } from '../../src/tokenizer/index.js';
import { goldenPath } from '../support/golden.js';
import { type Hub, type HubOptions, startHub } from '../support/hub-server.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { CARD, shardedModel, TINY, TINY_GGUF } from './samples.js';

vi.mock('node:fs/promises', { spy: true });

const POINTER = `version https://git-lfs.github.com/spec/v1\noid sha256:${'ab'.repeat(32)}\nsize 17209920\n`;
const INDEX = 'model.safetensors.index.json';
/** The index of a repository whose first shard contains these tensors. */
const index = (names: readonly string[]) => ({ names });

const folder = temporaryFolder();
const out = () => join(folder(), 'out');
const model = () => join(folder(), 'model');

type Progress = { path: string; doneBytes: number; totalBytes: number };

const sha256 = async (path: string) =>
  createHash('sha256')
    .update(await readFile(path))
    .digest('hex');

/** Expects the weights of `imported` to equal those of `original`, byte for byte. */
async function expectSameTensors(imported: string, original: string): Promise<void> {
  const [a, b] = [await openLlama(imported), await openLlama(original)];
  const kinds = ({ reader }: LlamaSource) =>
    [...reader.tensors.values()].map(({ name, dtype, shape }) => ({ name, dtype, shape }));
  expect(kinds(a)).toEqual(kinds(b));
  for (const name of a.reader.tensors.keys()) {
    expect(Buffer.compare(await a.reader.read(name), await b.reader.read(name)), name).toBe(0);
  }
  expect([a.config, a.ropeLayout, a.quantisedTypes]).toEqual([b.config, b.ropeLayout, b.quantisedTypes]);
  await a.close();
  await b.close();
}

/** Expects that nothing is left of a failed import. */
async function expectRefused(source: string, message: string | RegExp, exitCode: 1 | 2 = 1): Promise<void> {
  const failing = importModel({ model: source, out: out() });
  await expect(failing).rejects.toThrow(message);
  await expect(failing).rejects.toMatchObject({ exitCode });
  expect((await readdir(folder())).filter((name) => name.includes('out'))).toEqual([]);
}

describe('a folder', () => {
  it('in shards becomes a self-describing folder with links to the weights', async () => {
    await shardedModel(model());
    const report = await importModel({ model: model(), out: out() });
    const shards = (await readdir(model())).filter((name) => name.endsWith('.safetensors'));
    expect(shards.length).toBeGreaterThan(1);
    const names = ['LICENSE', 'README.md', 'config.json', 'model.safetensors.index.json', 'tokenizer.json'];
    const copied = [...names, 'tokenizer_config.json'];
    expect((await readdir(out())).sort()).toEqual([...copied, ...shards, 'import.json'].sort());
    for (const name of shards) expect(await readlink(join(out(), name))).toBe(await realpath(join(model(), name)));
    for (const name of copied) {
      expect((await lstat(join(out(), name))).isFile()).toBe(true);
      expect(await sha256(join(out(), name))).toBe(await sha256(join(model(), name)));
    }
    expect(report).toMatchObject({ kind: 'folder', model: model(), revision: null, license: 'apache-2.0' });
    expect(report.config).toMatchObject({ layers: 6, hiddenSize: 128, vocabSize: 1024 });
    expect(report.files.map(({ path }) => path).sort()).toEqual(
      [...copied, ...shards].map((name) => join(model(), name)).sort(),
    );
    for (const { path, sizeBytes, sha256: digest } of report.files) {
      expect([sizeBytes, digest]).toEqual([(await stat(path)).size, await sha256(path)]);
    }
    await expectSameTensors(out(), TINY);
  });

  it('is recorded in import.json', async () => {
    await importModel({ model: TINY, out: out() });
    const text = await readFile(join(out(), 'import.json'), 'utf8');
    const document = JSON.parse(text);
    expect(document).toMatchObject({ kind: 'folder', model: TINY, revision: null, license: null, layers: 6 });
    expect(document.files).toContainEqual({
      path: join(TINY, 'config.json'),
      size_bytes: (await stat(join(TINY, 'config.json'))).size,
      sha256: await sha256(join(TINY, 'config.json')),
    });
    expect(text).not.toMatch(/"[a-z0-9]+[A-Z]\w*":/);
  });

  it('is imported with reports of progress up to the end', async () => {
    const events: Progress[] = [];
    const { files } = await importModel({ model: TINY, out: out(), onProgress: (event) => events.push(event) });
    const totalBytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    expect(new Set(events.map((event) => event.totalBytes))).toEqual(new Set([totalBytes]));
    const done = events.map(({ doneBytes }) => doneBytes);
    expect(done).toEqual([...done].sort((a, b) => a - b));
    expect(done.at(-1)).toBe(totalBytes);
    expect(new Set(events.map(({ path }) => path))).toEqual(new Set(files.map(({ path }) => path)));
  });

  it('replaces an earlier import', async () => {
    await mkdir(out());
    await writeFile(join(out(), 'old.txt'), 'x');
    await importModel({ model: TINY, out: out() });
    expect(await readdir(out())).not.toContain('old.txt');
  });

  it('whose files are links is linked to their targets', async () => {
    await mkdir(model());
    for (const name of ['config.json', 'tokenizer.json', 'tokenizer_config.json', 'model.safetensors']) {
      await symlink(join(TINY, name), join(model(), name));
    }
    await importModel({ model: model(), out: out() });
    await rm(model(), { recursive: true });
    await expectSameTensors(out(), TINY);
  });

  it('may contain folders that are named like metadata files', async () => {
    await cp(TINY, model(), { recursive: true });
    await mkdir(join(model(), 'LICENSE'));
    await importModel({ model: model(), out: out() });
    expect(await readdir(out())).not.toContain('LICENSE');
  });

  it('is not imported if the user stops it', async () => {
    const controller = new AbortController();
    const onProgress = () => controller.abort();
    const stopped = importModel({ model: TINY, out: out(), onProgress, signal: controller.signal });
    await expect(stopped).rejects.toThrow(/abort/i);
    expect(await readdir(folder())).toEqual([]);
  });
});

describe('a GGUF file', () => {
  it('is imported with its config and tokenizer', async () => {
    const report = await importModel({ model: TINY_GGUF, out: out() });
    expect(report).toMatchObject({ kind: 'gguf', model: TINY_GGUF, revision: null, license: 'apache-2.0' });
    const { size: sizeBytes, mtime } = await stat(TINY_GGUF);
    expect(report.files).toEqual([
      { path: TINY_GGUF, sizeBytes, modified: mtime.toISOString(), sha256: await sha256(TINY_GGUF) },
    ]);
    expect((await readdir(out())).sort()).toEqual([
      'config.json',
      'import.json',
      'model.gguf',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
    expect(await readlink(join(out(), 'model.gguf'))).toBe(await realpath(TINY_GGUF));
    expect((await loadTokenizer(out())).encode('abba')).toEqual([3, 2, 1]);
    await expectSameTensors(out(), TINY_GGUF);
  });

  it('must be named itself, not by its folder', async () => {
    await mkdir(model());
    await cp(TINY_GGUF, join(model(), 'tiny.gguf'));
    await expectRefused(model(), `${model()} contains a .gguf file.`, 2);
  });

  it('that is truncated is refused', async () => {
    const path = join(folder(), 'half.gguf');
    await writeFile(path, (await readFile(TINY_GGUF)).subarray(0, 3000));
    await expectRefused(path, 'half.gguf');
  });
});

describe('an import is refused for', () => {
  async function changed(name: string, contents: string | null): Promise<string> {
    await cp(TINY, model(), { recursive: true });
    if (contents === null) await rm(join(model(), name));
    else await writeFile(join(model(), name), contents);
    return model();
  }

  it.each([
    ['config.json', null, 'contains no config.json'],
    ['config.json', '{', 'config.json is not JSON'],
    ['config.json', '{"model_type":"gpt2"}', 'model_type is "gpt2"'],
    ['tokenizer.json', null, 'contains no tokenizer.json'],
    ['tokenizer.json', '{', 'tokenizer.json is not JSON'],
    ['model.safetensors', null, 'model.safetensors'],
    ['model.safetensors', 'x', 'model.safetensors'],
    ['config.json', '{"model_type":"llama","rope_theta":NaN}', 'config.json is not JSON: NaN, which Python writes'],
    ['config.json', POINTER, 'config.json is a git-lfs pointer'],
    ['model.safetensors', POINTER, 'model.safetensors is a git-lfs pointer'],
    ['tokenizer.json', POINTER, 'tokenizer.json is a git-lfs pointer'],
    ['tokenizer_config.json', POINTER, 'tokenizer_config.json is a git-lfs pointer'],
    ['LICENSE', POINTER, 'LICENSE is a git-lfs pointer'],
    ['chat_template.jinja', POINTER, 'chat_template.jinja is a git-lfs pointer'],
  ])('%s as %j', async (name, contents, message) => {
    await expectRefused(await changed(name, contents), message);
  });

  it.each(['config.json', 'model.safetensors', 'README.md'])('a folder whose %s is a link to nothing', async (name) => {
    await cp(TINY, model(), { recursive: true });
    await rm(join(model(), name), { force: true });
    await symlink('/nowhere/file', join(model(), name));
    await expectRefused(model(), `${name} is a link to /nowhere/file, which does not exist.`);
  });

  it('an output on a file system without links', async () => {
    vi.mocked(symlink).mockRejectedValueOnce(
      Object.assign(new Error('EPERM'), { code: 'EPERM', syscall: 'symlink', path: '/x' }),
    );
    await expectRefused(TINY, `The file system of ${out()} does not support links.`);
  });

  it('a Llama without a tokenizer', async () => {
    await expectRefused(goldenPath('plain/llama'), 'contains no tokenizer.json');
  });

  it('a shard that is missing', async () => {
    await shardedModel(model());
    await rm(join(model(), (await readdir(model())).find((name) => /-00002-of-/.test(name))!));
    await expectRefused(model(), '00002-of-');
  });
});

describe('a hub id', () => {
  let hub: Hub | null = null;

  afterEach(async () => {
    vi.unstubAllEnvs();
    await hub?.close();
    hub = null;
  });

  async function serve(options: Partial<HubOptions> = {}): Promise<Hub> {
    if (!existsSync(model())) await shardedModel(model());
    hub = await startHub({ repos: { 'org/name': model() }, ...options });
    vi.stubEnv('HF_ENDPOINT', hub.url);
    vi.stubEnv('HF_HUB_CACHE', join(folder(), 'hub'));
    vi.stubEnv('HF_HOME', folder());
    for (const name of [
      'HF_TOKEN',
      'HUGGING_FACE_HUB_TOKEN',
      'HF_TOKEN_PATH',
      'HF_HUB_OFFLINE',
      'TRANSFORMERS_OFFLINE',
    ])
      vi.stubEnv(name, '');
    return hub;
  }

  it('is downloaded and linked to the cache', async () => {
    await serve();
    const report = await importModel({ model: 'org/name@main', out: out() });
    expect(report).toMatchObject({ kind: 'hub', model: 'org/name@main', license: 'apache-2.0' });
    expect(report.revision).toMatch(/^[0-9a-f]{40}$/);
    expect(report.files.map(({ path }) => path)).toContain(
      join(folder(), 'hub', 'models--org--name', 'snapshots', report.revision!, 'config.json'),
    );
    const weights = (await readdir(out())).filter((name) => name.endsWith('.safetensors'));
    for (const name of weights) {
      const digest = await sha256(join(model(), name));
      expect(await readlink(join(out(), name))).toBe(
        join(await realpath(folder()), 'hub', 'models--org--name', 'blobs', digest),
      );
    }
    expect(await readFile(join(out(), 'README.md'), 'utf8')).toBe(CARD);
    await expectSameTensors(out(), TINY);
  });

  it('is read from the cache without a connection', async () => {
    await serve();
    const { revision } = await importModel({ model: 'org/name', out: join(folder(), 'first') });
    await hub!.close();
    hub = null;
    vi.stubEnv('HF_HUB_OFFLINE', '1');
    expect(await importModel({ model: 'org/name', out: out() })).toMatchObject({ kind: 'hub', revision });
    await expectSameTensors(out(), TINY);
  });

  it.each([
    ['config.json', '{"model_type":"gpt2"}', 'model_type is "gpt2"'],
    ['tokenizer.json', '{', 'tokenizer.json is not JSON'],
    [INDEX, index(['score.weight']), '"score.weight", the head of a model that classifies'],
    [INDEX, index(['_orig_mod.model.norm.weight']), 'as torch.compile wraps a model'],
    [INDEX, index(['model.norm.weight']), 'lacks the tensor model.embed_tokens.weight'],
  ])('whose %s shows that it cannot be converted causes no large download', async (name, contents, message) => {
    await shardedModel(model());
    const [shard = ''] = (await readdir(model())).filter((file) => file.endsWith('.safetensors'));
    const text =
      typeof contents === 'string'
        ? contents
        : JSON.stringify({ weight_map: Object.fromEntries(contents.names.map((tensor) => [tensor, shard])) });
    await writeFile(join(model(), name), text);
    const { requests } = await serve();
    const failing = importModel({ model: 'org/name', out: out() });
    await expect(failing).rejects.toThrow(message);
    expect(requests.filter(({ url }) => url.endsWith('.safetensors'))).toEqual([]);
    expect(existsSync(out())).toBe(false);
  });

  it('whose files Python’s client shares between repositories is not considered damaged', async () => {
    await serve();
    const { files } = await importModel({ model: 'org/name', out: join(folder(), 'first') });
    const blob = await realpath(files.find(({ path }) => path.endsWith('.safetensors'))!.path);
    const shared = join(folder(), 'f'.repeat(64));
    await rename(blob, shared);
    await symlink(relative(dirname(blob), shared), blob);
    expect((await importModel({ model: 'org/name', out: out() })).files.map(({ sha256 }) => sha256)).toEqual(
      files.map(({ sha256 }) => sha256),
    );
  });

  it.each(['tokenizer.json', 'model-00001-of'])('whose %s is damaged in the cache is refused', async (name) => {
    await serve();
    const { files } = await importModel({ model: 'org/name', out: join(folder(), 'first') });
    const blob = await realpath(files.find(({ path }) => path.includes(name))!.path);
    const bytes = await readFile(blob);
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
    await writeFile(blob, bytes);
    const failing = importModel({ model: 'org/name', out: out() });
    // A changed tokenizer may already fail to parse.
    await expect(failing).rejects.toThrow(/is damaged in the hub's cache|is not JSON/);
    expect(existsSync(out())).toBe(false);
  });
});
