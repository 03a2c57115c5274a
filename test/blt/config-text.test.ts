import { describe, expect, it } from 'vitest';
import { configText } from '../../src/blt/index.js';

describe('the text of a config', () => {
  it.each([
    [100, '100.0'],
    [-1, '-1.0'],
    [0, '0.0'],
    [1.335, '1.335'],
    [1e-7, '1e-7'],
  ])('writes a threshold of %d as %s', (threshold, text) => {
    const written = configText({ patching_threshold: threshold, max_patch_length: 4 });
    expect(written).toBe(`{\n  "patching_threshold": ${text},\n  "max_patch_length": 4\n}\n`);
    expect(JSON.parse(written)).toEqual({ patching_threshold: threshold, max_patch_length: 4 });
  });

  it('writes floats of its parts alike, and leaves text alone', () => {
    const json = { decoder_config: { initializer_range: 1, dropout: 0 }, note: '"patching_threshold": 3' };
    expect(configText(json)).toContain('"initializer_range": 1.0');
    expect(JSON.parse(configText(json))).toEqual(json);
  });
});
