import { describe, expect, it } from 'vitest';
import { parseRope, type RopeConfig, ropeKeys } from '../../src/blt/index.js';

const LLAMA3 = { factor: 8, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 8192 };
const parsed: RopeConfig = {
  type: 'llama3',
  theta: 5e5,
  factor: 8,
  lowFreqFactor: 1,
  highFreqFactor: 4,
  originalMaxPositions: 8192,
};
const parse = (json: Record<string, unknown>) => parseRope(json, 'c.json', 10_000);

describe('rope settings', () => {
  it.each<[string, Record<string, unknown>, RopeConfig]>([
    ['of transformers 5', { rope_parameters: { rope_type: 'llama3', rope_theta: 5e5, ...LLAMA3 } }, parsed],
    ['of transformers 4', { rope_theta: 5e5, rope_scaling: { rope_type: 'llama3', ...LLAMA3 } }, parsed],
    ['by the older key', { rope_theta: 5e5, rope_scaling: { type: 'llama3', ...LLAMA3 } }, parsed],
    ['absent', {}, { type: 'default', theta: 10_000 }],
    ['null', { rope_scaling: null, rope_parameters: null, rope_theta: 7 }, { type: 'default', theta: 7 }],
    ['empty', { rope_scaling: {}, rope_parameters: { rope_theta: 7 } }, { type: 'default', theta: 7 }],
    ['linear with factor one', { rope_scaling: { type: 'linear', factor: 1 } }, { type: 'default', theta: 10_000 }],
    [
      'in both places, where rope_scaling takes precedence',
      { rope_theta: 5e5, rope_scaling: { rope_type: 'llama3', ...LLAMA3 }, rope_parameters: { rope_theta: 7 } },
      parsed,
    ],
    [
      'without the original positions',
      {
        max_position_embeddings: 64,
        rope_theta: 5e5,
        rope_scaling: { ...LLAMA3, type: 'llama3', original_max_position_embeddings: undefined },
      },
      { ...parsed, originalMaxPositions: 64 },
    ],
    [
      'with the original positions beside them',
      { original_max_position_embeddings: 32, rope_theta: 5e5, rope_scaling: { ...LLAMA3, type: 'llama3' } },
      { ...parsed, originalMaxPositions: 32 },
    ],
  ])('%s', (_what, json, wanted) => {
    expect(parse(json)).toEqual(wanted);
    expect(parse(ropeKeys(wanted))).toEqual(wanted);
  });

  it.each<[string, Record<string, unknown>, RegExp]>([
    ['text', { rope_scaling: 'linear' }, /c\.json: rope_scaling must be an object, not "linear"/],
    ['a list', { rope_parameters: [] }, /rope_parameters must be an object/],
    ['a base that is text', { rope_theta: '1e4' }, /rope_theta must be a number above zero, not "1e4"/],
    ['a negative factor', { rope_scaling: { type: 'llama3', ...LLAMA3, factor: -8 } }, /factor must be a number above/],
    ['no factor', { rope_scaling: { type: 'llama3', ...LLAMA3, factor: undefined } }, /rope settings lack factor/],
    [
      'no original positions anywhere',
      { rope_scaling: { type: 'llama3', ...LLAMA3, original_max_position_embeddings: undefined } },
      /rope settings lack original_max_position_embeddings/,
    ],
    [
      'factors that cross',
      { rope_scaling: { type: 'llama3', ...LLAMA3, high_freq_factor: 1 } },
      /high_freq_factor is 1 and must be above/,
    ],
    ['linear scaling', { rope_scaling: { type: 'linear', factor: 2 } }, /rope scaling "linear" cannot/],
    ['scaling that grows', { rope_scaling: { type: 'dynamic', factor: 2 } }, /rope scaling "dynamic" cannot/],
    [
      'settings by layer',
      { rope_parameters: { full_attention: { rope_theta: 1 } } },
      /by layer type \(full_attention\)/,
    ],
  ])('%s: refused', (_what, json, message) => {
    expect(() => parse(json)).toThrow(message);
  });
});
