import { describe, expect, it } from 'vitest';
import {
  type ClosedFormWork,
  closedFormFlops,
  expectedPositions,
  forwardFlops,
  localChannels,
  sourceForwardFlops,
  totalFlops,
} from '../../src/blt/index.js';
import { smallBlt, smallTransformer } from '../support/small-blt.js';

/** Local models 32 wide: 8 channels of content, 22 spare ones. */
const config = smallBlt({
  encoder: smallTransformer(32, { intermediateSize: 5 }),
  decoder: { ...smallTransformer(32, { layers: 2, intermediateSize: 7 }), crossAttnAllLayers: true },
});
const text = { bytes: 8, bytesPerPatch: 4 };
const source = { vocabSize: 10, bytesPerToken: 2 };
const NONE: ClosedFormWork = {
  textBytes: 0,
  solveBytes: 0,
  ngramBytes: 0,
  encoder: 'back-off',
  decoder: 'linear',
  patchEnds: 0,
  positions: 0,
};
const flopsOf = (work: Partial<ClosedFormWork>) =>
  closedFormFlops({ config, text, source, work: { ...NONE, ...work } });

describe('the FLOPs of the initialisation equal a count by hand for a text of 8 bytes in patches of 4 and tokens of 2:', () => {
  // q, k, v, o: 4 · 2·6·6; gate, up, down: 3 · 2·6·3; its head 2·6·260; 4 · 6 for each of (1 + ... + 8) / 8 keys
  const PATCHER = 288 + 108 + 3120 + 24 * 4.5;
  const ENCODER_UNITS = 3 * 2 * 32 * 5;
  const DECODER_UNITS = 3 * 2 * 32 * 7;

  it('nothing for no work', () => {
    expect(localChannels(config)).toEqual({ content: 8, spare: 22 });
    expect(flopsOf({})).toBe(0);
  });

  it('the patcher alone on the text of the encoder', () => {
    expect(flopsOf({ textBytes: 100 })).toBe(100 * PATCHER);
  });

  it('patcher, encoder, normal equations and the source on the text of the solves', () => {
    const { encoder } = forwardFlops(config, text);
    // 64 pooled features to 8 channels, once per patch
    const equations = (2 * 64 * 64 + 2 * 64 * 8) / 4;
    const { blocks, head } = sourceForwardFlops(config.global, { vocabSize: 10, tokens: 4 });
    const ofSource = (totalFlops(blocks) + totalFlops(head)) / 2;
    // The decoder's values of each patch, 8 to 2 · 32, and their products, 32 · 32.
    const values = (2 * 8 * 64 + 2 * 32 * 32) / 4;
    expect(flopsOf({ solveBytes: 10 })).toBe(10 * (PATCHER + totalFlops(encoder) + equations + ofSource + values));
  });

  it('two trained readouts of 22 channels for each byte of the n-gram tables: 260 ids, and 127 classes of prefixes', () => {
    expect(flopsOf({ ngramBytes: 10 })).toBe(10 * 3 * 2 * 22 * (260 + 127));
  });

  it('trained feed-forward units at each end of a patch, if the encoder has them; tables are look-ups', () => {
    expect(flopsOf({ patchEnds: 10, encoder: 'back-off' })).toBe(0);
    expect(flopsOf({ patchEnds: 10, encoder: 'tables' })).toBe(0);
    expect(flopsOf({ patchEnds: 10, encoder: 'feed-forward' })).toBe(10 * 3 * ENCODER_UNITS);
  });

  it('a trained output matrix and head at each position of the decoder’s fit, and its units if it has them', () => {
    const linear = 3 * (2 * 32 * 32 + 2 * 32 * 260);
    expect(flopsOf({ positions: 10, decoder: 'linear' })).toBe(10 * linear);
    for (const decoder of ['feed-forward', 'prefix-gates'] as const)
      expect(flopsOf({ positions: 10, decoder })).toBe(10 * (linear + 3 * DECODER_UNITS));
  });

  it('the encoder’s units, forward, at each position of the decoder’s fit', () => {
    const both = flopsOf({ positions: 10, encoder: 'feed-forward' });
    expect(both - flopsOf({ positions: 10, encoder: 'tables' })).toBe(10 * ENCODER_UNITS);
  });

  it('all of these together', () => {
    const work = { textBytes: 7, solveBytes: 5, ngramBytes: 3, patchEnds: 11, positions: 13 };
    const settings = { encoder: 'feed-forward', decoder: 'prefix-gates' } as const;
    const single = Object.entries(work).map(([key, value]) => flopsOf({ ...settings, [key]: value }));
    expect(flopsOf({ ...settings, ...work })).toBeCloseTo(
      single.reduce((sum, flops) => sum + flops, 0),
      6,
    );
  });
});

it('the fits are expected to read each patch and each entry of the vocabulary three times, and each byte of the solves twice', () => {
  expect(expectedPositions({ textBytes: 4000, solveBytes: 300 }, 4, { vocabSize: 50 })).toEqual({
    patchEnds: 3 * (1000 + 50),
    positions: 600,
  });
});
