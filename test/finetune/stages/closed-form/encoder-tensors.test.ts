import { beforeAll, describe, expect, it } from 'vitest';
import { type BltConfig, BOS, bltConfigFor, bltTensors, hashTables } from '../../../../src/blt/index.js';
import { startEngine, tf } from '../../../../src/engine/index.js';
import { encoderTensors, queryOffset } from '../../../../src/finetune/stages/closed-form/encoder-tensors.js';
import { BYTE_EMBEDDINGS, HASH_EMBEDDINGS } from '../../../../src/finetune/stages/closed-form/fit-tables.js';
import {
  constantOf,
  contentRms,
  countUnit,
  type Layout,
  layoutOf,
} from '../../../../src/finetune/stages/closed-form/layout.js';
import { locateModel } from '../../../../src/import/index.js';
import { openLlama } from '../../../../src/llama/index.js';
import { batchTensors, bltEncode, ENCODER_FIELDS, type Params } from '../../../../src/model/index.js';
import { cutRows, wholeRow } from '../../../../src/patching/index.js';
import { localSizesOf, recipeSchema } from '../../../../src/recipe/index.js';
import { numbers } from '../../../support/modes.js';

beforeAll(async () => {
  await startEngine({ threads: 2 });
});

/** Patches of 1 to 6 bytes. Each begins with a and continues in alphabetical order, so a byte's value is its offset in the patch. */
const TEXT = 'abcabcdefaabcdab';
const FIRST = 'a'.charCodeAt(0) + 4;

async function configOf(crossAttnK: number, hiddenSize: number): Promise<BltConfig> {
  const llama = await openLlama((await locateModel('builtin:tiny-llama')).path);
  await llama.close();
  const blt = { cross_attn_k: crossAttnK, hidden_size: hiddenSize, encoder_layers: 2, hash_vocab: 101 };
  const stages = [{ kind: 'end-to-end', steps: 1 }];
  const config = bltConfigFor(
    llama.config,
    localSizesOf(llama.config, recipeSchema.parse({ name: 'test', blt, stages })),
  );
  return { ...config, patching: { threshold: 1, maxPatchLength: null } };
}

/** Tables like fitted ones, except that counts are exact and each byte's content has one channel of its own per head. */
function tables(config: BltConfig, layout: Layout): Map<string, Float32Array> {
  const { width, content, count, constant } = layout;
  const headDim = width / config.encoder.heads;
  const bytes = new Float32Array(260 * width);
  const channels = Math.floor(content / headDim);
  for (let id = 0; id < 260; id++) {
    const row = bytes.subarray(id * width, (id + 1) * width);
    row[constant] = constantOf(layout);
    const index = id - FIRST;
    if (index < 0 || index > 5) continue;
    row[count] = index * countUnit(layout);
    for (let head = 0; head < channels; head++)
      row[head * headDim + 1 + index] = contentRms(layout) * Math.sqrt(content / channels);
  }
  // N-grams add small values that do not correlate with the count or the constant.
  const grams = new Float32Array(hashTables(config.hash) * config.hash.vocab * width);
  for (let at = 0; at < grams.length; at += width) grams[at] = Math.sin(at) * 0.01;
  return new Map([
    [BYTE_EMBEDDINGS, bytes],
    [HASH_EMBEDDINGS, grams],
  ]);
}

describe.each([
  ['one row per patch and a projection', 1, 160],
  ['one row per patch, as wide as the source', 1, 128],
  ['two rows per patch and a projection', 2, 96],
])('encoderTensors, for a model with %s,', (_, parameters, width) => {
  let bytes: Float32Array;
  let patches: Float32Array;
  let layout: Layout;
  let tensors: Map<string, Float32Array>;
  let hashRows: Int32Array;
  let config: BltConfig;
  const ids = Int32Array.from([BOS, ...[...Buffer.from(TEXT)].map((byte) => byte + 4)]);
  beforeAll(async () => {
    config = await configOf(parameters, width);
    layout = layoutOf(config);
    tensors = new Map([...encoderTensors(config, layout), ...tables(config, layout)]);
    const entropies = Float32Array.from(ids, (_, i) => (ids[i + 1] === FIRST ? 2 : 0));
    const { batch } = cutRows([wholeRow(ids)], entropies, config);
    hashRows = batch.hashRows;
    tf.tidy(() => {
      // All other tensors have arbitrary values.
      const params: Params = new Map(
        bltTensors(config)
          .filter(({ part }) => part === 'encoder' || part === 'hash')
          .map(({ name, shape }, i) => [
            name,
            tensors.has(name) ? tf.tensor(tensors.get(name)!, [...shape]) : numbers(shape, i),
          ]),
      );
      const encoded = bltEncode(params, config, batchTensors(batch, ENCODER_FIELDS));
      bytes = encoded.bytes.dataSync() as Float32Array;
      patches = encoded.patches.dataSync() as Float32Array;
    });
  });

  it('pass on the sum of each byte’s rows', () => {
    const own = tensors.get(BYTE_EMBEDDINGS)!;
    const grams = tensors.get(HASH_EMBEDDINGS)!;
    const count = hashTables(config.hash);
    ids.forEach((id, at) => {
      for (let channel = 0; channel < width; channel++) {
        let sum = own[id * width + channel]!;
        for (let table = 0; table < count; table++) sum += grams[hashRows[at * count + table]! * width + channel]!;
        expect(bytes[at * width + channel]).toBeCloseTo(sum, 6);
      }
    });
  });

  it('make each patch the normed state of its last byte', () => {
    const lengths = TEXT.split(/(?=a)/).map(({ length }) => length);
    const headDim = width / config.encoder.heads;
    let end = 0;
    lengths.forEach((length, i) => {
      end += length; // position 0 is BOS
      const last = bytes.subarray(end * width, (end + 1) * width);
      const scale = Math.sqrt(last.reduce((sum, value) => sum + value * value, 0) / width + 1e-5);
      for (let parameter = 0; parameter < parameters; parameter++) {
        const row = patches.subarray(
          ((i + 1) * parameters + parameter) * width,
          ((i + 1) * parameters + parameter + 1) * width,
        );
        for (let channel = 1; channel + headDim <= layout.content; channel += headDim) {
          const weight = (of: number) => row[channel + of]! / (last[channel + length - 1]! / scale);
          expect(weight(length - 1), `last of ${length}`).toBeGreaterThan(0.9);
          for (let before = 0; before < length - 1; before++) expect(weight(before)).toBeLessThan(0.1);
        }
        // The query offset, added twice, is the same everywhere.
        expect(row[layout.count]! - last[layout.count]! / scale).toBeCloseTo(2 * queryOffset(layout), 1);
      }
    });
  });
});
