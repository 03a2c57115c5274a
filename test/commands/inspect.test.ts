import { cp, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { InspectedTensor, Inspection } from '../../src/commands/inspect/inspection.js';
import { partFinder } from '../../src/commands/inspect/parts.js';
import { inspect } from '../../src/commands/inspect.js';
import { ByteifyError } from '../../src/errors.js';
import { openCheckpoint, tensorBytes, writeCheckpoint, writeSafetensorsFile } from '../../src/safetensors/index.js';
import { type Hub, type HubFault, type HubOptions, startHub } from '../support/hub-server.js';
import { runCommand } from '../support/run-command.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const golden = fileURLToPath(new URL('../fixtures/golden/plain', import.meta.url));
const folder = temporaryFolder();
const POINTER = 'version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 17209920\n';

async function inspected(path: string): Promise<Inspection> {
  const { stdout, error } = await runCommand(inspect, { path }, { json: true });
  if (error !== null) throw error;
  return JSON.parse(stdout) as Inspection;
}

describe('inspect', () => {
  it('shows the config, parts, dtypes and every tensor of a BLT checkpoint', async () => {
    const found = await inspected(join(golden, 'blt'));
    expect(found).toMatchObject({ kind: 'blt', config: { model_type: 'blt', cross_attn_k: 2, window_bytes: 16 } });
    expect(found.parts.map(({ name }) => name).sort()).toEqual([
      'decoder',
      'encoder',
      'global',
      'hash',
      'head',
      'patcher',
    ]);
    const hash = found.parts.find(({ name }) => name === 'hash');
    expect(hash).toEqual({ name: 'hash', tensors: 1, parameters: 6 * 211 * 32 });
    expect(found.dtypes).toEqual([{ name: 'F32', tensors: found.tensors.length, parameters: found.parameters }]);
    expect(found.parts.reduce((sum, { parameters }) => sum + parameters, 0)).toBe(found.parameters);
  });

  it('shows a Llama checkpoint', async () => {
    const found = await inspected(join(golden, 'llama'));
    expect(found).toMatchObject({
      kind: 'llama',
      config: { model_type: 'llama', layers: 3, hidden_size: 64, kv_heads: 2, tied_embeddings: true },
    });
    expect(found.parts.map(({ name }) => name).sort()).toEqual(['attention', 'embedding', 'feed-forward', 'norms']);
  });

  it('shows a single file, and the newest checkpoint of a conversion folder', async () => {
    expect(await inspected(join(golden, 'blt', 'model.safetensors'))).toMatchObject({
      kind: 'safetensors',
      config: {},
    });
    await writeFile(join(folder(), 'byteify.json'), '{}');
    await cp(join(golden, 'llama'), join(folder(), 'source'), { recursive: true });
    expect(await inspected(folder())).toMatchObject({ kind: 'llama', path: join(folder(), 'source') });
    await cp(join(golden, 'blt'), join(folder(), 'init'), { recursive: true });
    expect(await inspected(folder())).toMatchObject({ kind: 'blt', path: join(folder(), 'init') });
  });

  it('shows a file of types that byteify does not compute with, including packed ones', async () => {
    const path = join(folder(), 'new.safetensors');
    await writeSafetensorsFile(
      path,
      [
        { name: 'scales', dtype: 'F8_E8M0', shape: [4] },
        { name: 'packed', dtype: 'F4', shape: [4, 16] },
      ],
      (info) => new Uint8Array(tensorBytes(info)),
    );
    expect(await inspected(path)).toMatchObject({
      parameters: 68,
      dtypes: [
        { name: 'F8_E8M0', parameters: 4 },
        { name: 'F4', parameters: 64 },
      ],
    });
  });

  it.each([
    ['model.safetensors', POINTER, 'model.safetensors is a git-lfs pointer'],
    ['model.GGUF', POINTER, 'model.GGUF is a git-lfs pointer'],
    ['config.json', POINTER, 'config.json is a git-lfs pointer'],
    ['config.json', '{"model_type": NaN}', 'config.json is not JSON: NaN, which Python writes'],
  ])('says what %s with foreign content is', async (name, text, message) => {
    await writeFile(join(folder(), name), text);
    const path = name === 'config.json' ? folder() : join(folder(), name);
    const { error } = await runCommand(inspect, { path });
    expect((error as Error).message).toContain(message);
  });

  it('says where a dangling link leads', async () => {
    await symlink('/nowhere', join(folder(), 'model.gguf'));
    const { error } = await runCommand(inspect, { path: join(folder(), 'model.gguf') });
    expect((error as Error).message).toMatch(/model\.gguf is a link to \/nowhere, which does not exist\.$/);
  });

  it('prints tables for people', async () => {
    const { stdout } = await runCommand(inspect, { path: join(golden, 'blt') });
    expect(stdout).toMatch(/^.*plain\/blt: blt, [\d.]+ K parameters \(\d+\) in \d+ tensors\n/);
    expect(stdout).toMatch(/^lm_head\.weight +F32 +\[260, 32\] +1 +8320$/m);
  });

  it.each([
    ['nowhere', 'nowhere does not exist.'],
    ['notes.txt', 'is neither a .safetensors nor a .gguf file.'],
    ['empty', 'contains no byteify.json and no config.json.'],
  ])('refuses %s in one sentence', async (name, message) => {
    await writeFile(join(folder(), 'notes.txt'), '');
    await mkdir(join(folder(), 'empty'));
    const { error, stdout } = await runCommand(inspect, { path: join(folder(), name) });
    expect(error).toMatchObject({ message: expect.stringContaining(message), exitCode: 2 });
    expect(stdout).toBe('');
  });
});

describe('inspect of a hub model', () => {
  let hub: Hub | null = null;
  beforeEach(() => {
    vi.stubEnv('HF_HOME', folder());
    for (const name of ['HF_TOKEN', 'HF_HUB_CACHE', 'HUGGINGFACE_HUB_CACHE', 'HF_HUB_OFFLINE', 'TRANSFORMERS_OFFLINE'])
      vi.stubEnv(name, '');
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await hub?.close();
    hub = null;
  });

  async function serve(options: HubOptions): Promise<Hub> {
    hub = await startHub(options);
    vi.stubEnv('HF_ENDPOINT', hub.url);
    return hub;
  }

  /** The golden Llama in shards with large weights of zeros, which must not be requested. */
  async function sharded(): Promise<string> {
    const model = join(folder(), 'model');
    await mkdir(model);
    await cp(join(golden, 'llama', 'config.json'), join(model, 'config.json'));
    const reader = await openCheckpoint(join(golden, 'llama'));
    const wide = [...reader.tensors.values()].map((tensor) => ({ ...tensor, shape: [10, ...tensor.shape] }));
    await reader.close();
    await writeCheckpoint(model, wide, ({ shape }) => new Uint8Array(4 * shape.reduce((a, b) => a * b, 1)), {
      maxShardBytes: 1_500_000,
    });
    return model;
  }

  it('reads only its config and the headers of its shards', async () => {
    const { requests } = await serve({ repos: { 'org/tiny@v1': await sharded() } });
    const found = await inspected('org/tiny@v1');
    const local = await inspected(join(folder(), 'model'));
    expect(found.path).toMatch(/^org\/tiny@[0-9a-f]{40}$/);
    const byName = (a: InspectedTensor, b: InspectedTensor) => (a.name < b.name ? -1 : 1);
    expect({ ...found, tensors: [...found.tensors].sort(byName) }).toEqual({
      ...local,
      path: found.path,
      tensors: [...local.tensors].sort(byName),
    });
    expect(found).toMatchObject({ kind: 'llama', config: { layers: 3, tied_embeddings: true } });
    const shards = requests.filter(({ url, status }) => url.includes('safetensors') && status === 206);
    expect(shards.length).toBeGreaterThan(2);
    for (const { sentBytes } of shards) expect(sentBytes).toBeLessThanOrEqual(65_536);
  });

  it('works with a server without ranges, and with a header longer than the first request', async () => {
    const model = join(folder(), 'model');
    await mkdir(model);
    await cp(join(golden, 'blt', 'config.json'), join(model, 'config.json'));
    const many = Array.from({ length: 2000 }, (_, i) => ({ name: `tensor.${i}`, dtype: 'F32' as const, shape: [1] }));
    await writeCheckpoint(model, many, () => new Uint8Array(4));
    await serve({ repos: { 'org/blt': model }, faults: [{ kind: 'ignore-range', on: /model/, times: 100 }] });
    const found = await inspected('org/blt');
    expect(found).toMatchObject({ kind: 'blt', parameters: 2000, config: { cross_attn_k: 2 } });
  });

  it('reads the cache if the hub must not be contacted', async () => {
    const repository = join(folder(), 'hub', 'models--org--tiny');
    const commit = 'a'.repeat(40);
    await mkdir(join(repository, 'refs'), { recursive: true });
    await writeFile(join(repository, 'refs', 'main'), commit);
    await cp(join(golden, 'llama'), join(repository, 'snapshots', commit), { recursive: true });
    vi.stubEnv('HF_HUB_OFFLINE', '1');
    expect(await inspected('org/tiny')).toMatchObject({ kind: 'llama', path: join(repository, 'snapshots', commit) });
    await expect(inspected('org/other')).rejects.toMatchObject({
      message: expect.stringContaining('org/other is not in the cache'),
    });
  });

  it.each<[string, string, HubFault[], string]>([
    ['does not exist', 'org/none', [], 'There is no model org/none on the hub'],
    ['is gated', 'org/gated', [], 'org/gated is gated'],
    ['is truncated', 'org/tiny', [{ kind: 'cut', on: /cdn/, afterBytes: 100 }], 'could not be read'],
    ['is not an id', 'a/b/c', [], 'is neither a path that exists nor a hub id'],
  ])('refuses a model that %s in one sentence', async (_what, model, faults, message) => {
    const llama = join(golden, 'llama');
    await serve({ repos: { 'org/tiny': llama, 'org/gated': llama }, gated: ['org/gated'], token: 'hf_x', faults });
    const { error } = await runCommand(inspect, { path: model });
    expect(error).toBeInstanceOf(ByteifyError);
    expect(error).toMatchObject({ message: expect.stringContaining(message), hint: expect.any(String) });
  });
});

describe('the part of a tensor, by its name,', () => {
  it.each([
    ['blk.0.attn_norm.weight', 'norms'],
    ['blk.0.attn_q.weight', 'attention'],
    ['blk.0.ffn_gate.weight', 'feed-forward'],
    ['output_norm.weight', 'norms'],
    ['output.weight', 'head'],
    ['token_embd.weight', 'embedding'],
    ['model.embed_tokens.weight', 'embedding'],
    ['something.else', 'other'],
  ])('of a Llama, for %s, is %s', (name, part) => {
    expect(partFinder([])(name)).toBe(part);
  });

  it('is found for a BLT without a config', () => {
    const partOf = partFinder(['model.local_encoder.embed_tokens.weight']);
    expect(partOf('model.patcher.embed_tokens.weight')).toBe('patcher');
    expect(partOf('lm_head.weight')).toBe('head');
  });
});
