import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Inspection } from '../../src/commands/inspect/inspection.js';
import { partFinder } from '../../src/commands/inspect/parts.js';
import { inspect } from '../../src/commands/inspect.js';
import { runCommand } from '../support/run-command.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const golden = fileURLToPath(new URL('../fixtures/golden/plain', import.meta.url));
const folder = temporaryFolder();

async function inspected(path: string): Promise<Inspection> {
  const { stdout, error } = await runCommand(inspect, { path }, { json: true });
  if (error !== null) throw error;
  return JSON.parse(stdout) as Inspection;
}

describe('inspect', () => {
  it('a BLT checkpoint: config, parts, dtypes, every tensor', async () => {
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

  it('a Llama checkpoint', async () => {
    const found = await inspected(join(golden, 'llama'));
    expect(found).toMatchObject({
      kind: 'llama',
      config: { model_type: 'llama', layers: 3, hidden_size: 64, kv_heads: 2, tied_embeddings: true },
    });
    expect(found.parts.map(({ name }) => name).sort()).toEqual(['attention', 'embedding', 'feed-forward', 'norms']);
  });

  it('a single file, and a conversion folder by what it has come to', async () => {
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

  it('prints tables for people', async () => {
    const { stdout } = await runCommand(inspect, { path: join(golden, 'blt') });
    expect(stdout).toMatch(/^.*plain\/blt: blt, [\d.]+ K parameters \(\d+\) in \d+ tensors\n/);
    expect(stdout).toMatch(/^lm_head\.weight +F32 +\[260, 32\] +8320$/m);
  });

  it.each([
    ['nowhere', 'nowhere does not exist.'],
    ['notes.txt', 'is neither a .safetensors nor a .gguf file.'],
    ['empty', 'holds no byteify.json and no config.json.'],
  ])('%s is refused in one sentence', async (name, message) => {
    await writeFile(join(folder(), 'notes.txt'), '');
    await mkdir(join(folder(), 'empty'));
    const { error, stdout } = await runCommand(inspect, { path: join(folder(), name) });
    expect(error).toMatchObject({ message: expect.stringContaining(message), exitCode: 2 });
    expect(stdout).toBe('');
  });
});

describe('parts by name', () => {
  it.each([
    ['blk.0.attn_norm.weight', 'norms'],
    ['blk.0.attn_q.weight', 'attention'],
    ['blk.0.ffn_gate.weight', 'feed-forward'],
    ['output_norm.weight', 'norms'],
    ['output.weight', 'head'],
    ['token_embd.weight', 'embedding'],
    ['model.embed_tokens.weight', 'embedding'],
    ['something.else', 'other'],
  ])('of a Llama: %s is %s', (name, part) => {
    expect(partFinder([])(name)).toBe(part);
  });

  it('of a BLT without a config', () => {
    const partOf = partFinder(['model.local_encoder.embed_tokens.weight']);
    expect(partOf('model.patcher.embed_tokens.weight')).toBe('patcher');
    expect(partOf('lm_head.weight')).toBe('head');
  });
});
