// Writes the models of bench:train, with random weights, and the rows on which both implementations train.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bltConfigFor, deriveLocalSizes } from '../../dist/blt/index.js';
import { writeRandomBlt } from '../random-blt.mjs';
import { SOURCE_SIZES } from '../source-sizes.mjs';

const SMOLLM2 = SOURCE_SIZES['smollm2-135m'];

const sized = (source, changes) =>
  bltConfigFor(source, { ...deriveLocalSizes(source, changes.stated), ...changes.sizes });

/** The measured models by name. */
export const MODELS = {
  smollm2: { title: 'SmolLM2-sized, local 288, k = 2, hash 6 x 20,002', config: () => sized(SMOLLM2, {}) },
  'smollm2-hash': {
    title: 'the same, hash 6 x 500,002',
    // Two of these do not fit into 24 GB.
    apart: true,
    config: () => sized(SMOLLM2, { sizes: { hashVocab: 500_002 } }),
  },
  'smollm2-k1': {
    title: 'the same with local 576, k = 1',
    config: () => sized(SMOLLM2, { stated: { crossAttnK: 1, hiddenSize: 576 }, sizes: { hashVocab: 20_002 } }),
  },
  tiny: { title: 'tiny (the demo’s)', config: () => sized(SOURCE_SIZES['tiny-llama'], {}) },
};

/** Writes the model and ids.bin [rows, length]: BOS and random bytes. */
export async function writeModel(folder, name, { rows, length }) {
  const config = MODELS[name].config();
  await writeRandomBlt(folder, config);
  let state = 7;
  const ids = Int32Array.from({ length: rows * length }, (_, i) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return i % length === 0 ? 1 : 4 + (state >>> 24);
  });
  writeFileSync(join(folder, 'ids.bin'), new Uint8Array(ids.buffer));
  return config;
}
