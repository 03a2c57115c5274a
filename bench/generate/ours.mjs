// Generates text with byteify's decoder, driven by lines of JSON on stdin.
// node bench/generate/ours.mjs FOLDER THREADS float32|bfloat16
// {"do": "open", "draft", "expectedBytes"} opens a generator with that initial capacity.
// {"do": "write", "draft", "ids", "bytes"} generates greedily.
// {"do": "weights"} reports the bytes of weights that are read per byte and per patch.
import { createInterface } from 'node:readline';
import { BYTE_OFFSET } from '../../dist/blt/index.js';
import { startEngine } from '../../dist/engine/index.js';
import { openGenerator, PLAIN_SAMPLING } from '../../dist/generate/index.js';
import { openResidentModel } from '../../dist/model/index.js';

const [folder, threads] = process.argv.slice(2);
const weights = /** @type {import('../../dist/model/index.js').WeightsType} */ (process.argv[4]);
await startEngine({ threads: Number(threads) });
const model = await openResidentModel(folder, { weights });
const generators = new Map();

async function open({ draft, expectedBytes }) {
  await generators.get(draft)?.close();
  const begun = performance.now();
  const generator = openGenerator(model, { draft, expectedBytes });
  generators.set(draft, generator);
  await generator.warmUp();
  return { ms: performance.now() - begun };
}

/** The milliseconds and bytes of each step; the first step includes the prompt. */
async function write({ draft, ids, bytes }) {
  const generator = generators.get(draft);
  const before = generator.state();
  const request = { prompt: ids, maxBytes: bytes, sampling: { ...PLAIN_SAMPLING, temperature: 0 }, seed: 0, stops: [] };
  const answer = { ms: [], sizes: [], ids: [], patches: 0, finish: null };
  let last = performance.now();
  for await (const written of generator.generate(request)[0]) {
    const now = performance.now();
    if (written.bytes.length > 0) {
      answer.ms.push(now - last);
      answer.sizes.push(written.bytes.length);
      answer.ids.push(...Array.from(written.bytes, (byte) => byte + BYTE_OFFSET));
      answer.patches += written.beginsPatch.filter((begins) => begins).length;
    }
    answer.finish = written.finish;
    last = now;
  }
  const after = generator.state();
  return {
    ...answer,
    drafted: after.draftedBytes - before.draftedBytes,
    accepted: after.acceptedBytes - before.acceptedBytes,
  };
}

const WEIGHT_BYTES = { float32: 4, bfloat16: 2 };
/** The weights that are read once per patch: the global transformer, and the keys and values of the decoder's cross-attention. */
const READ_PER_PATCH =
  /global_transformer|patch_embedding_projection|local_encoder\.cross_attn|local_decoder\.cross_attn_layers\.\d+\.k|local_decoder\.cross_attn_layers\.\d+\.v/;
const isLookedUp = (name) => /embed_tokens|hash_tok_embedding/.test(name);

function weightBytes() {
  const sums = { byte: 0, patch: 0 };
  for (const [name, { shape, storage }] of model.weights) {
    if (isLookedUp(name)) continue;
    const size = shape.reduce((product, n) => product * n, WEIGHT_BYTES[storage]);
    sums[READ_PER_PATCH.test(name) ? 'patch' : 'byte'] += size;
  }
  return sums;
}

const COMMANDS = { open, write, weights: weightBytes };
console.log('READY');
for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  console.log(JSON.stringify(await COMMANDS[request.do](request)));
}
process.exit();
