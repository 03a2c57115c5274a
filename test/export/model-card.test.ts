import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Manifest, StageRecord } from '../../src/conversion/index.js';
import { cardFromManifest } from '../../src/export/card-from-manifest.js';
import { type CardInputs, type CardModel, modelCard } from '../../src/export/model-card.js';

const model: CardModel = {
  parameters: 1_234_567,
  dtype: 'bfloat16',
  globalLayers: 30,
  globalHiddenSize: 576,
  encoderLayers: 1,
  decoderLayers: 4,
  localHiddenSize: 288,
  patchingThreshold: 1.25,
  maxBytes: 24_576,
};

const stage = (metrics: Record<string, number>, files: StageRecord['files'] = []): StageRecord => ({
  state: 'done',
  inputs: {},
  started: '2026-01-01T00:00:00.000Z',
  finished: '2026-01-01T00:01:00.000Z',
  seconds: 60,
  files,
  metrics,
});

const manifest: Manifest = {
  format: 1,
  byteify: '9.8.7',
  model: 'org/Some-Llama@main',
  revision: 'abc123',
  license: 'llama3.2',
  recipe: { name: 'r', sha256: 'recipehash' },
  stages: {
    import: stage({}, [{ path: '/home/user/cache/model.safetensors', size_bytes: 12, sha256: 'weightshash' }]),
    finetune: stage({ validation_bits_per_byte: 1.23456, steps: 50 }),
    export: { ...stage({ weight_bytes: 1 }), state: 'started', finished: null },
  },
};

const card = cardFromManifest(manifest, { name: 'Some-Llama-BLT', languages: ['en'] });
const split = (text: string) => {
  const [, front = '', body = ''] = /^---\n([\s\S]*?)\n---\n([\s\S]*)$/.exec(text) ?? [];
  return { front: parse(front) as Record<string, unknown>, body };
};

describe('the front matter', () => {
  it('is the YAML that the hub reads', () => {
    expect(split(modelCard(card, model)).front).toEqual({
      license: 'llama3.2',
      language: ['en'],
      library_name: 'transformers',
      pipeline_tag: 'text-generation',
      base_model: 'org/Some-Llama',
      base_model_relation: 'finetune',
      tags: ['blt', 'byte-level', 'byteify'],
    });
  });

  it('names no base model for a local source, even one that looks like an id, and an unknown licence as such', () => {
    const local = cardFromManifest({ ...manifest, model: 'models/mine', revision: null, license: null }, { name: 'x' });
    const { front, body } = split(modelCard(local, model));
    expect(front).toEqual({
      license: 'unknown',
      library_name: 'transformers',
      pipeline_tag: 'text-generation',
      tags: ['blt', 'byte-level', 'byteify'],
    });
    expect(body).toContain('`mine`');
  });

  it('quotes what YAML would take for something else', () => {
    const { front } = split(modelCard({ ...card, languages: ['no'], license: 'other: special' }, model));
    expect(front).toMatchObject({ language: ['no'], license: 'other: special' });
  });
});

describe('the text', () => {
  const { body } = split(modelCard(card, model));

  it('says how it was made, from what, and with what result', () => {
    expect(body).toContain('https://huggingface.co/org/Some-Llama');
    expect(body).toContain('byteify 9.8.7 with the recipe `r` (sha256 `recipehash`)');
    expect(body).toContain('| import | model.safetensors | 12 | `weightshash` |');
    expect(body).toContain('| finetune | validation bits per byte | 1.235 |');
    expect(body).toContain('1,234,567 parameters in bfloat16');
  });

  it('says how to load it, without the cache', () => {
    expect(body).toContain('BltForCausalLM.from_pretrained("Some-Llama-BLT")');
    expect(body).toContain('use_cache=False');
  });

  it('tells nothing of the machine, nor of a stage that is not over', () => {
    expect(body).not.toContain('/home/user');
    expect(body).not.toContain('weight bytes');
  });

  it('says what the Llama licence asks for, and only then', () => {
    expect(body).toContain('Built with Llama.');
    const free: CardInputs = { ...card, license: 'apache-2.0' };
    expect(modelCard(free, model)).not.toContain('Built with Llama');
  });

  it('survives a file name with a pipe', () => {
    const stages = [
      { name: 'finetune', seconds: 1, files: [{ path: 'a|b.txt', size_bytes: 1, sha256: 'x' }], metrics: {} },
    ];
    expect(modelCard({ ...card, stages }, model)).toContain('a\\|b.txt');
  });
});

it('a plain checkpoint has a card, too', () => {
  const { front, body } = split(modelCard(cardFromManifest(null, { name: 'plain' }), model));
  expect(front.license).toBe('unknown');
  expect(body).toMatch(/^\n# plain\n/);
  expect(body).not.toContain('## Results');
  expect(body).not.toMatch(/null|undefined/);
});
