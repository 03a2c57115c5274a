// The golden models and the values that PyTorch and transformers compute with them (test/fixtures/golden/README.md).
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { openSafetensorsFile, toFloat32 } from '../../dist/safetensors/index.js';

const pathOf = (path) => fileURLToPath(new URL(`../../test/fixtures/golden/${path}`, import.meta.url));
const readJson = (path) => JSON.parse(readFileSync(pathOf(path), 'utf8'));

/** The gradients that are compared element by element; of the others, the norms are compared. */
const WHOLE_GRADIENTS = {
  q0: 'model.global_transformer.layers.0.self_attn.q_proj.weight',
  hash: 'model.encoder_hash_tok_embedding.weight',
  xattn: 'model.local_decoder.cross_attn_layers.0.k_proj.weight',
};

/**
 * @typedef {object} GoldenCase
 * @property {Int32Array} ids
 * @property {ArrayLike<number>} entropies
 * @property {readonly number[]} patchLengths in transformers' form
 * @property {ArrayLike<number>} logits of the last positions
 * @property {number | null} loss null if only the forward pass is known; then there are no gradients
 * @property {Record<string, number>} gradientNorms
 * @property {Record<string, Float32Array>} gradients
 */

/** @returns {Promise<{ folder: string, cases: GoldenCase[] }[]>} */
export async function goldenModels() {
  const reader = await openSafetensorsFile(pathOf('plain/blt-expected.safetensors'));
  const expected = async (name) => toFloat32(await reader.read(name), reader.tensors.get(name).dtype);
  const plain = [];
  for (const [i, golden] of readJson('plain/blt-cases.json').entries()) {
    const gradients = {};
    for (const [short, name] of Object.entries(WHOLE_GRADIENTS)) gradients[name] = await expected(`${i}.grad.${short}`);
    plain.push({
      ids: Int32Array.from(golden.input_ids),
      entropies: await expected(`${i}.entropies`),
      patchLengths: golden.patch_lengths,
      logits: await expected(`${i}.logits`),
      loss: golden.loss,
      gradientNorms: golden.grad_norms,
      gradients,
    });
  }
  await reader.close();
  const projection = readJson('projection-gqa/cases.json').map((golden) => ({
    ids: Int32Array.from(golden.ids),
    entropies: golden.entropies,
    patchLengths: golden.hf_patch_lengths,
    logits: golden.logits_last,
    loss: null,
    gradientNorms: {},
    gradients: {},
  }));
  return [
    { folder: pathOf('plain/blt'), cases: plain },
    { folder: pathOf('projection-gqa'), cases: projection },
  ];
}
