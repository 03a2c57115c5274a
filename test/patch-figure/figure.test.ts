import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type FigureData, patchFigure } from '../../scripts/patch-figure/figure.mjs';
import { loadTokenizer } from '../../src/tokenizer/index.js';
import { REPOSITORY } from '../support/repository-texts.js';

const read = (path: string) => readFileSync(join(REPOSITORY, path), 'utf8');
const data = JSON.parse(read('docs/images/patches.json')) as FigureData;

describe('the README’s picture', () => {
  it('shows the tokens of the embedded tiny Llama', async () => {
    const tokenizer = await loadTokenizer(join(REPOSITORY, 'assets/tiny-llama'));
    const tokens = tokenizer.encode(data.text).map((id) => new TextDecoder().decode(tokenizer.tokenBytes(id)));
    expect(data.tokens).toEqual(tokens);
  });

  it('shows patches that begin where the entropy exceeds the threshold', () => {
    const begins = data.entropy_nats.flatMap((nats, at) => (nats > data.threshold_nats ? [at] : []));
    let at = 0;
    const drawn = data.patch_lengths.map((length) => {
      at += length;
      return at - length;
    });
    expect(drawn).toEqual(begins);
    expect(at).toBe(data.text.length);
  });

  it('is up to date with the data', () => {
    expect(read('docs/images/patches.svg')).toBe(patchFigure(data));
  });

  it('escapes XML', () => {
    const one = { text: '<', tokens: ['<'], patch_lengths: [1], entropy_nats: [1], threshold_nats: 0 };
    const drawn = patchFigure(one);
    expect(drawn).toContain('&lt;</text>');
    expect(drawn).not.toContain('<</text>');
  });
});
