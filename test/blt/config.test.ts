import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  bltConfigFor,
  bltTensors,
  deriveLocalSizes,
  needsProjection,
  parseBltConfig,
  toTransformersConfig,
} from '../../src/blt/index.js';
import { openCheckpoint } from '../../src/safetensors/index.js';
import { goldenPath } from '../support/golden.js';

const readJson = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as Record<string, Record<string, unknown>>;

describe.each(['plain/blt', 'projection-gqa'])('the config of %s', (folder) => {
  const json = readJson(goldenPath(`${folder}/config.json`));
  const config = parseBltConfig(json, 'config.json');

  it('names exactly the tensors that transformers wrote, with their shapes', async () => {
    const { tensors, close } = await openCheckpoint(goldenPath(folder));
    await close();
    const wanted = Object.fromEntries([...tensors.values()].map(({ name, shape }) => [name, [...shape]]));
    expect(Object.fromEntries(bltTensors(config).map(({ name, shape }) => [name, shape]))).toEqual(wanted);
  });

  it('is read as it was written', () => {
    expect(parseBltConfig(toTransformersConfig(config, 'float32'), 'config.json')).toEqual(config);
  });

  it('accepts rope settings as transformers 4 writes them', () => {
    const old = structuredClone(json);
    for (const part of ['encoder_config', 'decoder_config', 'global_config', 'patcher_config']) {
      const { rope_parameters, ...rest } = old[part]!;
      old[part] = { ...rest, rope_theta: (rope_parameters as { rope_theta: number }).rope_theta };
    }
    expect(parseBltConfig(old, 'config.json')).toEqual(config);
  });
});

describe('the windows of attention', () => {
  const json = readJson(goldenPath('plain/blt/config.json'));
  const { local_attention_window_len: _, ...top } = json;
  const { sliding_window: __, ...patcher } = json.patcher_config!;
  const windows = (changed: object) => {
    const { encoder, decoder, patcher, global } = parseBltConfig({ ...top, ...changed }, 'config.json');
    return [encoder.window, decoder.window, patcher.window, global.window];
  };

  it('are 512 if a config of transformers 4.57 does not name them, as in transformers 5', () => {
    expect(windows({ patcher_config: patcher })).toEqual([512, 512, 512, null]);
  });

  it('are unlimited if they are null, and are written as null', () => {
    const open = { local_attention_window_len: null, patcher_config: { ...patcher, sliding_window: null } };
    expect(windows(open)).toEqual([null, null, null, null]);
    const config = parseBltConfig({ ...top, ...open }, 'config.json');
    const written = toTransformersConfig(config, 'float32');
    expect(written).toMatchObject({ local_attention_window_len: null, patcher_config: { sliding_window: null } });
    expect(parseBltConfig(written, 'config.json')).toEqual(config);
  });
});

it('a feed-forward width that a config omits has transformers 5’s default', () => {
  const json = readJson(goldenPath('plain/blt/config.json'));
  // Printed by BltConfig of transformers 5.23.0 for the encoder's width of 80: int(8 * 80 / 3), and three constants.
  const widths = { encoder_config: 80, decoder_config: 80, global_config: 160, patcher_config: 80 };
  const parts = Object.entries(widths).map(([name, hidden_size]) => {
    const { intermediate_size: _, head_dim: __, ...part } = json[name]!;
    return [name, { ...part, hidden_size, num_attention_heads: 2, num_key_value_heads: 2 }];
  });
  const changed = Object.fromEntries(parts);
  changed.decoder_config.hidden_size_global = 160;
  const { encoder, decoder, global, patcher } = parseBltConfig({ ...json, ...changed }, 'config.json');
  expect([encoder, decoder, global, patcher].map(({ intermediateSize }) => intermediateSize)).toEqual([
    213, 2816, 5632, 2048,
  ]);
});

it('a feed-forward width of null is 8/3 of the hidden size in every part, as in transformers 4.57', () => {
  const json = readJson(goldenPath('plain/blt/config.json'));
  const parts = ['encoder_config', 'decoder_config', 'global_config', 'patcher_config'];
  const changed = Object.fromEntries(parts.map((part) => [part, { ...json[part], intermediate_size: null }]));
  const { encoder, decoder, global, patcher } = parseBltConfig({ ...json, ...changed }, 'config.json');
  // int(8 * 32 / 3) and, for the global transformer, int(8 * 64 / 3).
  expect([encoder, decoder, global, patcher].map(({ intermediateSize }) => intermediateSize)).toEqual([
    85, 85, 170, 85,
  ]);
});

it('the width of heads may be stated or null, and parts may say that they are tied, which has no effect', () => {
  const json = readJson(goldenPath('plain/blt/config.json'));
  const config = parseBltConfig(json, 'config.json');
  for (const change of [{ head_dim: 16 }, { head_dim: null }, { tie_word_embeddings: true }]) {
    const patcher_config = { ...json.patcher_config, ...change };
    expect(parseBltConfig({ ...json, patcher_config }, 'config.json')).toEqual(config);
  }
});

describe('cross-attention after every layer of the encoder', () => {
  const json = readJson(goldenPath('plain/blt/config.json'));
  const layers = { ...json.encoder_config, num_hidden_layers: 3 };
  const config = parseBltConfig({ ...json, encoder_config: { ...layers, cross_attn_all_layers: true } }, 'config.json');
  const cross = (of: typeof config) =>
    bltTensors(of).filter(({ name }) => /^model\.local_encoder\.cross_attn_layers\.\d\.q_proj/.test(name)).length;

  it('is read, has one module per layer, and is written again', () => {
    expect(cross(config)).toBe(3);
    expect(parseBltConfig(toTransformersConfig(config, 'float32'), 'config.json')).toEqual(config);
  });

  it('is off if the key is false, null or absent', () => {
    const { cross_attn_all_layers: _, ...absent } = layers as Record<string, unknown>;
    for (const encoder of [
      { ...absent, cross_attn_all_layers: false },
      { ...absent, cross_attn_all_layers: null },
      absent,
    ])
      expect(cross(parseBltConfig({ ...json, encoder_config: encoder }, 'config.json'))).toBe(1);
  });
});

describe('a config that cannot be run', () => {
  const json = readJson(goldenPath('plain/blt/config.json'));
  it.each<[string, object, string]>([
    ['another model', { model_type: 'llama' }, 'model_type'],
    ['other patching', { patching_mode: 'space' }, 'patching_mode'],
    ['a tied head', { tie_word_embeddings: true }, 'tie_word_embeddings is true'],
    ['a tied head that is null', { tie_word_embeddings: null }, 'tie_word_embeddings'],
    ...['encoder', 'decoder', 'global', 'patcher'].map(
      (part) =>
        [
          `heads of another width in the ${part}`,
          { [`${part}_config`]: { ...json[`${part}_config`], head_dim: 4 } },
          `${part}_config: head_dim is 4, but`,
        ] as [string, object, string],
    ),
    [
      'a feed-forward width of zero',
      { global_config: { ...json.global_config, intermediate_size: 0 } },
      'intermediate_size',
    ],
    ['two values of k', { cross_attn_k: 3 }, 'cross_attn_k'],
    [
      'local widths that differ',
      { decoder_config: { ...json.decoder_config, hidden_size: 48, num_attention_heads: 3 } },
      'hidden_size',
    ],
    ['heads that do not divide', { global_config: { ...json.global_config, num_attention_heads: 7 } }, 'heads'],
    [
      'unknown rope scaling',
      { global_config: { ...json.global_config, rope_parameters: { rope_type: 'yarn', rope_theta: 1 } } },
      'yarn',
    ],
  ])('is refused with the name of the key: %s', (_what, change, key) => {
    expect(() => parseBltConfig({ ...json, ...change }, 'config.json')).toThrow(new RegExp(`config\\.json.*${key}`));
  });
});

describe('sizes derived from a source', () => {
  const base = {
    heads: 32,
    kvHeads: 8,
    rmsNormEps: 1e-5,
    intermediateSize: 8192,
    rope: { type: 'default', theta: 5e5 },
  } as const;

  it.each([
    [
      'SmolLM2-135M',
      { hiddenSize: 576, layers: 30, heads: 9, kvHeads: 3 },
      { crossAttnK: 2, hiddenSize: 288, heads: 9, decoderLayers: 8, hashVocab: 20_002 },
    ],
    [
      'Llama 3.2 1B',
      { hiddenSize: 2048, layers: 16 },
      { crossAttnK: 2, hiddenSize: 1024, heads: 16, decoderLayers: 4, intermediateSize: 2816, hashVocab: 500_002 },
    ],
    [
      'Llama 3.2 3B',
      { hiddenSize: 3072, layers: 28, heads: 24 },
      { crossAttnK: 3, hiddenSize: 1024, heads: 16, decoderLayers: 7, hashVocab: 500_002 },
    ],
    [
      'Llama 3.1 8B',
      { hiddenSize: 4096, layers: 32 },
      { crossAttnK: 4, hiddenSize: 1024, heads: 16, decoderLayers: 8, hashVocab: 500_002 },
    ],
  ])('%s', (_name, source, wanted) => {
    const sizes = deriveLocalSizes({ ...base, ...source });
    expect(sizes).toMatchObject(wanted);
    const config = bltConfigFor({ ...base, ...source }, sizes);
    expect(parseBltConfig(toTransformersConfig(config, 'bfloat16'), 'config.json')).toEqual(config);
  });

  it.each([
    [
      { hiddenSize: 128, layers: 6 },
      { crossAttnK: 1, hiddenSize: 160, heads: 5, decoderLayers: 2, hashVocab: 5002 },
    ],
    [
      { hiddenSize: 576, layers: 30 },
      { crossAttnK: 1, hiddenSize: 608, heads: 19, decoderLayers: 4, hashVocab: 20_002 },
    ],
    [
      { hiddenSize: 2048, layers: 16 },
      { crossAttnK: 2, hiddenSize: 1056, decoderLayers: 4, hashVocab: 100_002 },
    ],
    [
      { hiddenSize: 3072, layers: 28 },
      { crossAttnK: 2, hiddenSize: 1568, decoderLayers: 4, hashVocab: 100_002 },
    ],
    [
      { hiddenSize: 4096, layers: 32 },
      { crossAttnK: 2, hiddenSize: 2080, decoderLayers: 4, hashVocab: 100_002 },
    ],
  ])('for a closed form have extra channels in a state: %o', (source, wanted) => {
    const sizes = deriveLocalSizes({ ...base, ...source }, { closedForm: true });
    expect(sizes).toMatchObject({ ...wanted, hashSizes: [2, 3, 4, 5, 6, 7, 8] });
    expect(needsProjection(bltConfigFor({ ...base, ...source }, sizes))).toBe(true);
    expect(sizes.hiddenSize % (2 * sizes.heads)).toBe(0);
    const half = deriveLocalSizes({ ...base, ...source }, { closedForm: true, crossAttnK: 2 });
    expect(half.hiddenSize).toBeGreaterThanOrEqual(source.hiddenSize / 2 + 18);
  });

  it('include windows of 512 bytes, in the file too', () => {
    const source = { ...base, hiddenSize: 2048, layers: 16 };
    const sizes = deriveLocalSizes(source);
    expect([sizes.window, sizes.patcher.window]).toEqual([512, 512]);
    const config = bltConfigFor(source, sizes);
    const windows = [config.encoder, config.decoder, config.patcher, config.global].map(({ window }) => window);
    expect(windows).toEqual([512, 512, 512, null]);
    expect(toTransformersConfig(config, 'bfloat16')).toMatchObject({
      local_attention_window_len: 512,
      encoder_config: { sliding_window: 512 },
      patcher_config: { sliding_window: 512 },
    });
  });

  it('include llama3 rope scaling for the global transformer', () => {
    const rope = {
      type: 'llama3',
      theta: 5e5,
      factor: 8,
      lowFreqFactor: 1,
      highFreqFactor: 4,
      originalMaxPositions: 8192,
    } as const;
    const source = { ...base, hiddenSize: 4096, layers: 32, rope };
    const json = toTransformersConfig(bltConfigFor(source, deriveLocalSizes(source)), 'bfloat16');
    expect((json.global_config as { rope_parameters: object }).rope_parameters).toEqual({
      rope_type: 'llama3',
      rope_theta: 5e5,
      factor: 8,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 8192,
    });
  });
});
