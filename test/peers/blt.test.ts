import { describe, expect, it } from 'vitest';
import { startEngine, tf } from '../../src/engine/index.js';
import { cutIntoPatches, openBlt } from '../../src/model/index.js';
import { wholeRow } from '../../src/patching/index.js';
import { bltLogits } from '../support/blt-logits.js';
import { smollm2Conversion, tinyConversion } from '../support/conversions.js';
import { maxDifference } from '../support/golden.js';
import { askPeer, peersPython } from '../support/peers.js';

interface PeerModel {
  readonly missing: string[];
  readonly unexpected: string[];
  readonly mismatched: string[];
  readonly config_use_cache: boolean;
  /** The largest difference of transformers in float32 from float64, over several orders of summation. */
  readonly float32_error: number;
  readonly cases: {
    ids: number[];
    exact_logits: number[];
    patch_lengths: number[];
    generated: number[];
    round_trip: boolean;
  }[];
}

const TEXTS = [
  'Byte latent transformers patch text by entropy.',
  'naïve café, 東京タワー — Привет, мир! 🎉',
  'for (let i = 0; i < 10; i++) {\n\tconsole.log(i * i);\n}\n',
  // longer than the windows of 512 bytes
  'The quick brown fox jumps over the lazy dog, again and again. '.repeat(11),
];

/** transformers' lengths end with padding of zeros and -1; ours include the next byte. */
function transformersForm(lengths: Int32Array): number[] {
  const present = [...lengths.slice(0, -1), lengths.at(-1)! - 1];
  return present.filter((length) => length > 0);
}

/**
 * The tolerance for logits against transformers in float64. SmolLM2's residual stream reaches 20,000 at single positions: there
 * float32 itself is uncertain by more than 1e-4 (transformers, summing in another order, differs from itself by as much), and twice that
 * uncertainty is allowed.
 */
const PARITY = 1e-4;

describe.skipIf(peersPython() === null).each([
  ['the tiny Llama', tinyConversion],
  ['SmolLM2-135M', smollm2Conversion],
])('transformers with an export of %s', (_name, conversion) => {
  it('loads it without missing or unexpected keys, and computes, segments and generates the same', async () => {
    const { folder } = await conversion();
    const blt = `${folder}/blt`;
    const peer = await askPeer<PeerModel>('blt.py', [blt, ...TEXTS]);
    expect(peer).toMatchObject({ missing: [], unexpected: [], mismatched: [], config_use_cache: false });
    await startEngine({ threads: 2 });
    const model = await openBlt(blt);
    peer.cases.forEach(({ ids, exact_logits, patch_lengths, generated, round_trip }, i) => {
      const { batch, patchLengths } = cutIntoPatches(model.params, model.config, [wholeRow(Int32Array.from(ids))]);
      expect(transformersForm(patchLengths[0]![0]!), TEXTS[i]).toEqual(patch_lengths.filter((length) => length > 0));
      const found = tf.tidy(() => bltLogits(model.params, model.config, batch).dataSync());
      const allowed = Math.max(PARITY, 2 * peer.float32_error);
      expect(maxDifference(found, exact_logits), TEXTS[i]).toBeLessThan(allowed);
      expect(round_trip).toBe(true);
      // generate: the first byte is our most likely one
      const last = [...found.slice(-260)];
      expect(generated.slice(0, ids.length)).toEqual(ids);
      expect(generated[ids.length]).toBe(last.indexOf(Math.max(...last)));
    });
    model.dispose();
  });
});
