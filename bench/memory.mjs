// Predicts the memory of a model's training stage by its settings, as Markdown: the table in docs/training.md.
// Run: npm run bench:memory [-- --model llama-3.1-8b --rows 1 --bytes 4096]
import { parseArgs } from 'node:util';
import { adaptersOf, bltConfigFor, bltTensors, deriveLocalSizes } from '../dist/blt/index.js';
import { parametersByPart, trainingMemory } from '../dist/plan/index.js';

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'llama-3.1-8b' },
    rows: { type: 'string', default: '1' },
    bytes: { type: 'string', default: '4096' },
  },
});

const llama3 = { rmsNormEps: 1e-5, rope: { type: 'default', theta: 500_000 } };
/** The source's vocabulary, and the token length that a plan assumes; end-to-end training does not use the source. */
const LLAMA_3 = { vocabSize: 128_256, bytesPerToken: 3.5 };
/** The sizes in the published configurations. */
const SOURCES = {
  'llama-3.2-1b': { ...llama3, hiddenSize: 2048, layers: 16, heads: 32, kvHeads: 8, intermediateSize: 8192 },
  'llama-3.2-3b': { ...llama3, hiddenSize: 3072, layers: 28, heads: 24, kvHeads: 8, intermediateSize: 8192 },
  'llama-3.1-8b': { ...llama3, hiddenSize: 4096, layers: 32, heads: 32, kvHeads: 8, intermediateSize: 14_336 },
};

const LORA = {
  rank: 16,
  alpha: 32,
  targets: ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'],
};
/** The title, the frozen parts, and the training settings of the others. */
const WAYS = [
  ['global and hash frozen', ['global', 'hash'], {}],
  ['global frozen', ['global'], { optimizerState: '8-bit' }],
  ['LoRA of rank 16', [], { optimizerState: '8-bit', lora: LORA }],
  ['all, 8-bit moments', [], { optimizerState: '8-bit' }],
  ['all, bfloat16 moments', [], { optimizerState: 'bfloat16' }],
  ['all, float32 moments', [], {}],
];
const HASH_VOCABS = [null, 20_002];
const CARDS = [24, 48, 80, 141];

const gigabytes = (bytes) => (bytes / 1e9).toFixed(bytes < 10e9 ? 1 : 0);

function row(source, hashVocab, [title, frozen, { lora, optimizerState = 'float32' }]) {
  const sizes = deriveLocalSizes(source);
  const config = bltConfigFor(source, hashVocab === null ? sizes : { ...sizes, hashVocab });
  const adapters = lora ? adaptersOf(bltTensors(config), lora).flatMap(({ a, b }) => [a.shape, b.shape]) : [];
  const memory = trainingMemory({
    config,
    counts: parametersByPart(config),
    stage: { kind: 'end-to-end', frozen, lora },
    source: LLAMA_3,
    text: { bytes: Number(values.bytes), bytesPerPatch: 4.5 },
    rows: Number(values.rows),
    rowsPerStep: Number(values.rows),
    precision: 'bfloat16',
    gradientCheckpointing: true,
    optimizerState,
    adapterParameters: adapters.reduce((sum, [a, b]) => sum + a * b, 0),
    frozenWeightBytes: 2,
  });
  const { weightsBytes, gradientsBytes, momentsBytes, activationsBytes, peakBytes } = memory;
  const fits = CARDS.find((card) => peakBytes < card * 1e9);
  const cells = [weightsBytes, gradientsBytes, momentsBytes, activationsBytes, peakBytes].map(gigabytes);
  return `| ${title}, hash 6 x ${config.hash.vocab.toLocaleString('en')} | ${cells.join(' | ')} | ${fits === undefined ? 'none' : `${fits} GB`} |`;
}

console.log('| what is trained | weights | gradients | moments | activations | peak, GB | fits |');
console.log('| --- | ---: | ---: | ---: | ---: | ---: | --- |');
for (const hashVocab of HASH_VOCABS) for (const way of WAYS) console.log(row(SOURCES[values.model], hashVocab, way));
