import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startEngine } from '../../src/engine/index.js';
import { openLlama } from '../../src/llama/index.js';
import { llamaLosses, openLlamaModel } from '../../src/model/index.js';
import { openCheckpoint, type TensorInfo, writeSafetensorsFile } from '../../src/safetensors/index.js';
import { goldenPath, maxDifference } from '../support/golden.js';
import { askPeer, peersPython } from '../support/peers.js';

const work = mkdtempSync(join(tmpdir(), 'byteify-llama-variants-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));

const EMBEDDING = 'model.embed_tokens.weight';
const HEAD = 'lm_head.weight';
const IDS = [1, 5, 9, 2, 7, 7, 3, 100, 61, 33, 8, 250, 4, 19, 77, 12];

interface Tensor extends TensorInfo {
  readonly bytes: Uint8Array;
}

/** Changes the golden Llama, whose embeddings are tied. */
interface Variant {
  readonly config?: (json: Record<string, unknown>) => Record<string, unknown>;
  readonly tensors?: (all: Tensor[]) => Tensor[];
}

const asItIs = <T>(same: T): T => same;

/** A tensor's float32 values times a number. */
const scaled = (tensor: Tensor, scale: number): Tensor => {
  const values = new Float32Array(tensor.bytes.slice().buffer).map((value) => value * scale);
  return { ...tensor, bytes: new Uint8Array(values.buffer) };
};

const renamed = (rename: (name: string) => string) => (all: Tensor[]) =>
  all.map((tensor) => ({ ...tensor, name: rename(tensor.name) }));

const bare = (name: string) => name.replace(/^model\./, '');

/** The embedding under the head's name, its values scaled. */
const head = (all: Tensor[], scale: number): Tensor => ({
  ...scaled(all.find(({ name }) => name === EMBEDDING)!, scale),
  name: HEAD,
});

/** Sharper attention, without which the losses of a fresh model would barely distinguish rope settings. */
const sharpened = (tensor: Tensor): Tensor =>
  /\.self_attn\.[qk]_proj\./.test(tensor.name) ? scaled(tensor, 12) : tensor;

const untied = (json: Record<string, unknown>) => ({ ...json, tie_word_embeddings: false });

const rope = (settings: Record<string, unknown>) => (json: Record<string, unknown>) => {
  const { rope_parameters: _, rope_scaling: __, rope_theta: ___, ...plain } = json;
  return { ...plain, ...settings };
};

const LLAMA3 = { factor: 4, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 16 };

const VARIANTS: Readonly<Record<string, Variant>> = {
  unchanged: {},
  'without model.': { tensors: renamed(bare) },
  'without model. in half of the names': {
    tensors: (all) => all.map((tensor, i) => (i % 2 === 0 ? tensor : { ...tensor, name: bare(tensor.name) })),
  },
  'with model. twice': { tensors: renamed((name) => `model.${name}`) },
  'untied, with model. before the head': {
    config: untied,
    tensors: (all) => [...all, { ...head(all, 1.5), name: `model.${HEAD}` }],
  },
  'tied by its config, with another head': { tensors: (all) => [...all, head(all, 1.5)] },
  'tied by its config, with the same head': { tensors: (all) => [...all, head(all, 1)] },
  'tied by its config, with the head alone': {
    tensors: (all) => [...all.filter(({ name }) => name !== EMBEDDING), head(all, 1.5)],
  },
  'untied, with the same head': { config: untied, tensors: (all) => [...all, head(all, 1)] },
  'with rope_theta': { config: rope({ rope_theta: 500 }) },
  'with no rope settings': { config: rope({}) },
  'with empty rope settings': { config: rope({ rope_scaling: {}, rope_parameters: {}, rope_theta: 500 }) },
  'with rope_scaling by type': { config: rope({ rope_theta: 500, rope_scaling: { type: 'llama3', ...LLAMA3 } }) },
  'with rope_scaling by rope_type': {
    config: rope({ rope_theta: 500, rope_scaling: { rope_type: 'llama3', ...LLAMA3 } }),
  },
  'with rope_parameters': { config: rope({ rope_parameters: { rope_type: 'llama3', rope_theta: 500, ...LLAMA3 } }) },
  'with rope_parameters and rope_theta beside them': {
    config: rope({ rope_theta: 500, rope_parameters: { rope_type: 'llama3', ...LLAMA3 } }),
  },
  'with both, which differ': {
    config: rope({
      rope_theta: 500,
      rope_scaling: { rope_type: 'llama3', ...LLAMA3 },
      rope_parameters: { rope_type: 'default', rope_theta: 90 },
    }),
  },
  'with llama3 scaling of all its positions': {
    config: rope({
      rope_theta: 500,
      rope_scaling: { ...LLAMA3, rope_type: 'llama3', original_max_position_embeddings: undefined },
    }),
  },
  'with the original positions beside the scaling': {
    config: rope({
      rope_theta: 500,
      original_max_position_embeddings: 64,
      rope_scaling: { rope_type: 'llama3', ...LLAMA3 },
    }),
  },
  'with linear scaling by one': { config: rope({ rope_theta: 500, rope_scaling: { type: 'linear', factor: 1 } }) },
  'with swish for silu': { config: (json) => ({ ...json, hidden_act: 'swish' }) },
};

describe.skipIf(peersPython() === null)('a Llama', () => {
  const names = Object.keys(VARIANTS);
  const folderOf = (name: string) => join(work, String(names.indexOf(name)));
  let theirs: (number[] | null)[] = [];

  beforeAll(async () => {
    await startEngine({ threads: 2 });
    const golden = goldenPath('plain/llama');
    const reader = await openCheckpoint(golden);
    const all: Tensor[] = [];
    for (const info of reader.tensors.values()) all.push(sharpened({ ...info, bytes: await reader.read(info.name) }));
    await reader.close();
    const json = JSON.parse(readFileSync(join(golden, 'config.json'), 'utf8')) as Record<string, unknown>;
    for (const [name, { config = asItIs, tensors = asItIs }] of Object.entries(VARIANTS)) {
      mkdirSync(folderOf(name));
      writeFileSync(join(folderOf(name), 'config.json'), JSON.stringify(config(json)));
      const stored = tensors(all);
      const bytes = new Map(stored.map((tensor) => [tensor.name, tensor.bytes]));
      await writeSafetensorsFile(join(folderOf(name), 'model.safetensors'), stored, ({ name: key }) => bytes.get(key)!);
    }
    writeFileSync(join(work, 'ids.json'), JSON.stringify(IDS));
    theirs = await askPeer('llama_losses.py', [join(work, 'ids.json'), ...names.map(folderOf)]);
  });

  it.each(names)('%s has transformers’ losses', async (name) => {
    const wanted = theirs[names.indexOf(name)];
    expect(wanted).not.toBeNull();
    const model = await openLlamaModel(folderOf(name));
    expect(maxDifference(llamaLosses(model, Int32Array.from(IDS)), wanted!)).toBeLessThan(1e-4);
    model.dispose();
  });

  it('is tied only if its head has the values of the embedding', async () => {
    const tied = async (name: string) => {
      const source = await openLlama(folderOf(name));
      await source.close();
      return source.config.tiedEmbeddings;
    };
    expect(await tied('tied by its config, with another head')).toBe(false);
    expect(await tied('tied by its config, with the same head')).toBe(true);
    expect(await tied('tied by its config, with the head alone')).toBe(true);
    expect(await tied('untied, with the same head')).toBe(false);
  });

  it('is distinguished from the others by these losses', () => {
    const apart = (one: string, other: string) =>
      maxDifference(theirs[names.indexOf(one)]!, theirs[names.indexOf(other)]!);
    const different = [
      'unchanged',
      'tied by its config, with another head',
      'with rope_theta',
      'with rope_parameters',
      'with llama3 scaling of all its positions',
      'with the original positions beside the scaling',
    ];
    for (const one of different)
      for (const other of different)
        if (one !== other) expect(apart(one, other), `${one}, ${other}`).toBeGreaterThan(1e-3);
  });
});
