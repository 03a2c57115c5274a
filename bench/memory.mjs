// Predicts the memory of end-to-end training under several settings and prints the Markdown table of docs/training.md.
// Run: npm run bench:memory [-- --model llama-3.1-8b --rows 1 --bytes 4096]
import { parseArgs } from 'node:util';
import { adaptersOf, bltConfigFor, bltTensors, deriveLocalSizes, muonShare } from '../dist/blt/index.js';
import { trainingMemory, usedParametersByPart } from '../dist/plan/index.js';
import { SOURCE_SIZES } from './source-sizes.mjs';

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'llama-3.1-8b' },
    rows: { type: 'string', default: '1' },
    bytes: { type: 'string', default: '4096' },
  },
});

const sizes = SOURCE_SIZES[values.model];
if (sizes === undefined) {
  process.stderr.write(`error: --model is one of ${Object.keys(SOURCE_SIZES).join(', ')}\n`);
  process.exit(2);
}
/** The vocabulary of Llama 3 and the token length that a plan assumes; end-to-end training does not use the source. */
const SOURCE = { vocabSize: 128_256, bytesPerToken: 3.5 };

const LORA = {
  rank: 16,
  alpha: 32,
  targets: ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'],
};
/**
 * @typedef {object} Variant
 * @property {string} title
 * @property {import('../dist/blt/index.js').Part[]} frozen
 * @property {'float32' | 'bfloat16' | '8-bit'} optimizerState
 * @property {import('../dist/blt/index.js').Optimizer} [optimizer]
 * @property {typeof LORA} [lora]
 */
/** @type {Variant[]} */
const VARIANTS = [
  { title: 'global and hash frozen', frozen: ['global', 'hash'], optimizerState: 'float32' },
  { title: 'global frozen', frozen: ['global'], optimizerState: '8-bit' },
  { title: 'LoRA of rank 16', frozen: [], optimizerState: '8-bit', lora: LORA },
  { title: 'all, 8-bit moments', frozen: [], optimizerState: '8-bit' },
  { title: 'all, bfloat16 moments', frozen: [], optimizerState: 'bfloat16' },
  { title: 'all, float32 moments', frozen: [], optimizerState: 'float32' },
  { title: 'all by Muon, 8-bit moments', frozen: [], optimizerState: '8-bit', optimizer: 'muon' },
  { title: 'all by Muon, float32 moments', frozen: [], optimizerState: 'float32', optimizer: 'muon' },
];
const HASH_VOCABS = [null, 20_002];
const CARD_GIGABYTES = [24, 48, 80, 141];

const gigabytes = (bytes) => (bytes / 1e9).toFixed(bytes < 10e9 ? 1 : 0);

/** @param {number | null} hashVocab null for the default @param {Variant} variant */
function row(hashVocab, { title, frozen, optimizerState, optimizer = 'adamw', lora }) {
  const local = deriveLocalSizes(sizes);
  const config = bltConfigFor(sizes, hashVocab === null ? local : { ...local, hashVocab });
  const adapters = lora ? adaptersOf(bltTensors(config), lora).flatMap(({ a, b }) => [a.shape, b.shape]) : [];
  /** @type {import('../dist/blt/index.js').StageShape} */
  const stage = { kind: 'end-to-end', frozen, lora, losses: { prefix_kl: 0 } };
  const memory = trainingMemory({
    config,
    counts: usedParametersByPart(config),
    stage,
    muon: muonShare(config, stage, optimizer),
    source: SOURCE,
    text: { bytes: Number(values.bytes), bytesPerPatch: 4.5 },
    rows: Number(values.rows),
    rowsPerStep: Number(values.rows),
    precision: 'bfloat16',
    gradientCheckpointing: true,
    optimizerState,
    adapterParameters: adapters.reduce((sum, [a, b]) => sum + a * b, 0),
    loadsSourceLayers: false,
    closedForm: null,
    frozenWeightBytes: 2,
  });
  const { weightsBytes, gradientsBytes, momentsBytes, activationsBytes, peakBytes } = memory;
  const fits = CARD_GIGABYTES.find((card) => peakBytes < card * 1e9);
  const cells = [weightsBytes, gradientsBytes, momentsBytes, activationsBytes, peakBytes].map(gigabytes);
  return `| ${title}, hash 6 x ${config.hash.vocab.toLocaleString('en')} | ${cells.join(' | ')} | ${fits === undefined ? 'none' : `${fits} GB`} |`;
}

console.log('| what is trained | weights | gradients | moments | activations | peak, GB | fits |');
console.log('| --- | ---: | ---: | ---: | ---: | ---: | --- |');
for (const hashVocab of HASH_VOCABS) for (const variant of VARIANTS) console.log(row(hashVocab, variant));
