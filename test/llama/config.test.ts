import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { copyFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { llamaTensors, openLlama, parseLlamaConfig } from '../../src/llama/index.js';
import { tensorBytes, writeSafetensorsFile } from '../../src/safetensors/index.js';
import { goldenPath } from '../support/golden.js';

const folder = mkdtempSync(join(tmpdir(), 'byteify-source-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const golden = JSON.parse(readFileSync(goldenPath('plain/llama/config.json'), 'utf8')) as Record<string, unknown>;

describe('a config', () => {
  it('of Llama 3.1 is read with its rope scaling in either style', () => {
    const scaling = {
      rope_type: 'llama3',
      factor: 8,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 8192,
    };
    const wanted = {
      type: 'llama3',
      theta: 5e5,
      factor: 8,
      lowFreqFactor: 1,
      highFreqFactor: 4,
      originalMaxPositions: 8192,
    };
    const { rope_parameters: _, ...plain } = golden;
    expect(parseLlamaConfig({ ...plain, rope_theta: 5e5, rope_scaling: scaling }, 'c').rope).toEqual(wanted);
    expect(parseLlamaConfig({ ...plain, rope_parameters: { ...scaling, rope_theta: 5e5 } }, 'c').rope).toEqual(wanted);
    expect(parseLlamaConfig({ ...plain, rope_scaling: null }, 'c').rope).toEqual({ type: 'default', theta: 10_000 });
  });

  it.each<[string, Record<string, unknown>, RegExp]>([
    ['another model_type', { model_type: 'qwen2' }, /model_type is "qwen2"/],
    ['experts', { model_type: 'mixtral', num_local_experts: 8 }, /mixture of experts/],
    ['experts', { num_experts: 2 }, /mixture of experts/],
    ['attention biases', { attention_bias: true }, /attention_bias/],
    ['feed-forward biases', { mlp_bias: true }, /mlp_bias/],
    ['another activation', { hidden_act: 'gelu' }, /"gelu"/],
    ['a separate head width', { head_dim: 128 }, /head_dim is 128/],
    ['rope of a part of each head', { partial_rotary_factor: 0.5 }, /partial_rotary_factor is 0\.5/],
    [
      'the same in its rope settings',
      { rope_parameters: { rope_type: 'default', rope_theta: 1e4, partial_rotary_factor: 0.25 } },
      /partial_rotary_factor is 0\.25/,
    ],
    ['quantised weights', { quantization_config: { quant_method: 'gptq' } }, /quantization_config/],
    ['other rope scaling', { rope_parameters: { rope_type: 'yarn', rope_theta: 1e4, factor: 2 } }, /yarn/],
    ['a missing key', { hidden_size: undefined }, /config\.json lacks hidden_size/],
    ['an absurd size', { num_hidden_layers: 1e9 }, /num_hidden_layers must be at most 10000, not 1000000000/],
    ['a size of zero', { num_hidden_layers: 0 }, /num_hidden_layers must be above zero, not 0/],
    ['a negative size', { intermediate_size: -128 }, /intermediate_size must be above zero, not -128/],
    ['a size that is text', { vocab_size: '512' }, /vocab_size must be a whole number above zero, not "512"/],
    ['a fraction of a head', { num_attention_heads: 2.5 }, /num_attention_heads must be a whole number/],
    ['an epsilon that is text', { rms_norm_eps: '1e-5' }, /rms_norm_eps must be a number, not "1e-5"/],
    ['an epsilon of zero', { rms_norm_eps: 0 }, /rms_norm_eps must be above zero/],
    ['a flag that is text', { tie_word_embeddings: 'true' }, /tie_word_embeddings must be true or false, not "true"/],
    ['a flag that is null', { tie_word_embeddings: null }, /tie_word_embeddings must be true or false, not null/],
    ['a base that is text', { rope_theta: '1e4' }, /rope_theta must be a number, not "1e4"/],
    ['rope settings that are text', { rope_parameters: 'llama3' }, /rope_parameters must be an object/],
    ['a token that is text', { eos_token_id: ['</s>'] }, /eos_token_id must be/],
    ['a negative token', { bos_token_id: -1 }, /bos_token_id must be the id of a token, not -1/],
    ['a type that is a number', { dtype: 16 }, /dtype must be the name of a type/],
    [
      'a width that heads do not divide',
      { num_attention_heads: 3, head_dim: undefined },
      /hidden_size of 64 cannot be divided among 3/,
    ],
    ['heads of an odd width', { num_attention_heads: 64, num_key_value_heads: 64, head_dim: 1 }, /heads are 1 wide/],
    ['heads that do not share', { num_key_value_heads: 3 }, /4 heads cannot share 3 key-value heads/],
    [
      'the head of a classifier',
      { architectures: ['LlamaForSequenceClassification'] },
      /a LlamaForSequenceClassification, which does not/,
    ],
    ['no model_type', { model_type: undefined }, /has no model_type/],
    ['an adapter’s keys', { model_type: undefined, peft_type: 'LORA' }, /it is an adapter \(peft_type is "LORA"\)/],
  ])('with %s is refused by name', (_what, change, message) => {
    const json = Object.fromEntries(
      Object.entries({ ...golden, ...change }).filter(([, value]) => value !== undefined),
    );
    if ('hidden_size' in change) delete json.head_dim;
    expect(() => parseLlamaConfig(json, 'config.json')).toThrow(message);
  });
});

it.each([{ num_local_experts: null }, { num_experts: 0 }, { num_local_experts: 1 }])(
  'a config with %j describes a dense model',
  (experts) => {
    expect(parseLlamaConfig({ ...golden, ...experts }, 'c')).toEqual(parseLlamaConfig(golden, 'c'));
  },
);

describe('a source', () => {
  it('in a folder has its tensors, and needs no head if the embeddings are tied', async () => {
    const source = await openLlama(goldenPath('plain/llama'));
    expect(source.ropeLayout).toBe('half');
    expect(source.config.tiedEmbeddings).toBe(true);
    expect([...source.reader.tensors.keys()].sort()).toEqual(
      llamaTensors(source.config)
        .map(({ name }) => name)
        .sort(),
    );
    await source.close();
  });

  it('in a GGUF file has transformers’ names, and a config made from its key-values', async () => {
    const source = await openLlama(fileURLToPath(new URL('../fixtures/gguf/tiny.gguf', import.meta.url)));
    expect(source).toMatchObject({
      ropeLayout: 'interleaved',
      quantisedTypes: ['Q8_0', 'Q4_0', 'Q5_1', 'Q4_1', 'Q5_0'],
    });
    expect(source.config).toMatchObject({
      hiddenSize: 32,
      heads: 4,
      kvHeads: 2,
      intermediateSize: 64,
      rmsNormEps: 1e-5,
      vocabSize: 5,
      tiedEmbeddings: true,
    });
    expect([...source.reader.tensors.keys()].sort()).toEqual(
      llamaTensors(source.config)
        .map(({ name }) => name)
        .sort(),
    );
    await source.close();
  });

  const broken = async (change: (tensors: Map<string, number[]>) => void) => {
    const path = mkdtempSync(join(folder, 'broken-'));
    await copyFile(goldenPath('plain/llama/config.json'), join(path, 'config.json'));
    const tensors = new Map(llamaTensors(parseLlamaConfig(golden, 'c')).map(({ name, shape }) => [name, [...shape]]));
    change(tensors);
    const infos = [...tensors].map(([name, shape]) => ({ name, shape, dtype: 'F32' as const }));
    await writeSafetensorsFile(join(path, 'model.safetensors'), infos, (info) => new Uint8Array(tensorBytes(info)));
    return path;
  };

  it.each<[string, (tensors: Map<string, number[]>) => void, RegExp]>([
    [
      'lacks a tensor',
      (tensors) => tensors.delete('model.layers.1.mlp.up_proj.weight'),
      /lacks the tensor model\.layers\.1\.mlp\.up_proj\.weight/,
    ],
    [
      'has another shape',
      (tensors) => tensors.set('model.norm.weight', [63]),
      /model\.norm\.weight has the shape \[63\]/,
    ],
    [
      'has biases',
      (tensors) => tensors.set('model.layers.0.self_attn.q_proj.bias', [64]),
      /"model\.layers\.0\.self_attn\.q_proj\.bias", a bias, but BLT/,
    ],
    ['has tensors of something else', (tensors) => tensors.set('model.layers.0.router.weight', [4]), /router/],
  ])('that %s is refused', async (_what, change, message) => {
    await expect(openLlama(await broken(change))).rejects.toThrow(message);
  });

  it.each(['model.layers.0.self_attn.rotary_emb.inv_freq', 'model.rotary_emb.inv_freq', 'rotary_emb.inv_freq'])(
    'in an old checkpoint may contain the computed buffer %s',
    async (name) => {
      await (await openLlama(await broken((tensors) => tensors.set(name, [8])))).close();
    },
  );

  it('that does not exist or is not JSON is refused in one sentence', async () => {
    await expect(openLlama(join(folder, 'nowhere'))).rejects.toThrow(/nowhere does not exist/);
    const path = mkdtempSync(join(folder, 'json-'));
    await writeFile(join(path, 'config.json'), '{');
    await expect(openLlama(path)).rejects.toThrow(/config\.json is not JSON/);
  });
});
