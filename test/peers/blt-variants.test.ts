import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bltTensors } from '../../src/blt/index.js';
import { startEngine, tf } from '../../src/engine/index.js';
import { cutIntoPatches, openBlt } from '../../src/model/index.js';
import { wholeRow } from '../../src/patching/index.js';
import { openCheckpoint } from '../../src/safetensors/index.js';
import { bltLogits } from '../support/blt-logits.js';
import { goldenPath, maxDifference } from '../support/golden.js';
import { askPeer, peersPython } from '../support/peers.js';

const work = mkdtempSync(join(tmpdir(), 'byteify-blt-variants-'));
afterAll(() => rmSync(work, { recursive: true, force: true }));

const IDS = [1, ...new TextEncoder().encode('Patches, of several lengths, and so on.').map((byte) => byte + 4)];

type Part = Readonly<Record<string, unknown>>;

/** The keys of the encoder's and the decoder's config. */
const VARIANTS: Readonly<Record<string, { readonly encoder?: Part; readonly decoder?: Part; readonly rows?: number }>> =
  {
    'attends across after its last encoder layer, and before every decoder layer': {
      encoder: { num_hidden_layers: 3 },
    },
    'attends across after every encoder layer': { encoder: { num_hidden_layers: 3, cross_attn_all_layers: true } },
    'attends across after its one encoder layer': { encoder: { num_hidden_layers: 1, cross_attn_all_layers: true } },
    'attends across before its first decoder layer alone': { decoder: { cross_attn_all_layers: false } },
    'attends across everywhere in the encoder and once in the decoder': {
      encoder: { num_hidden_layers: 2, cross_attn_all_layers: true },
      decoder: { cross_attn_all_layers: false },
    },
    'has one row per patch': { rows: 1 },
    'has one row per patch, whose key-value heads are shared': { rows: 1, decoder: { num_key_value_heads: 1 } },
    'says null for both': { encoder: { cross_attn_all_layers: null }, decoder: { cross_attn_all_layers: null } },
  };

describe.skipIf(peersPython() === null)('a BLT that', () => {
  const names = Object.keys(VARIANTS);
  const folderOf = (name: string) => join(work, String(names.indexOf(name)));
  let theirs: number[][] = [];

  beforeAll(async () => {
    await startEngine({ threads: 2 });
    const json = JSON.parse(readFileSync(goldenPath('plain/blt/config.json'), 'utf8')) as Record<string, Part>;
    for (const [name, { encoder, decoder, rows }] of Object.entries(VARIANTS)) {
      mkdirSync(folderOf(name));
      const slots = rows === undefined ? {} : { cross_attn_k: rows };
      const config = {
        ...json,
        ...slots,
        encoder_config: { ...json.encoder_config, ...slots, ...encoder },
        decoder_config: { ...json.decoder_config, ...slots, ...decoder },
      };
      writeFileSync(join(folderOf(name), 'config.json'), JSON.stringify(config));
    }
    writeFileSync(join(work, 'ids.json'), JSON.stringify(IDS));
    theirs = await askPeer('blt_random.py', [join(work, 'ids.json'), ...names.map(folderOf)]);
  });

  it.each(names)('%s has transformers’ logits and tensors', async (name) => {
    const folder = folderOf(name);
    const model = await openBlt(folder);
    const { batch, patchLengths } = cutIntoPatches(model.params, model.config, [wholeRow(Int32Array.from(IDS))]);
    expect(new Set(patchLengths[0]![0]!).size).toBeGreaterThan(2);
    const found = tf.tidy(() => bltLogits(model.params, model.config, batch).dataSync());
    expect(maxDifference(found, theirs[names.indexOf(name)]!)).toBeLessThan(1e-4);
    const reader = await openCheckpoint(folder);
    const shapes = [...reader.tensors.values()].map(({ name: tensor, shape }) => [tensor, shape.join()]);
    await reader.close();
    expect(new Map(bltTensors(model.config).map((spec) => [spec.name, spec.shape.join()]))).toEqual(
      new Map(shapes as [string, string][]),
    );
    model.dispose();
  });
});
