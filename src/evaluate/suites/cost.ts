/** @module Suite `cost`: what a byte of text costs, beside the source: steps, matrix products, and the weights that decoding reads. Computed, not timed. */
import {
  type BltConfig,
  bltTensors,
  forwardFlops,
  type Part,
  sourceForwardFlops,
  type TensorSpec,
  totalFlops,
} from '../../blt/index.js';
import { type LlamaConfig, llamaTensors } from '../../llama/index.js';
import { type Counts, type Metric, ratio } from './metric.js';
import { estimateDocuments } from './patch-counts.js';
import type { DirectSuite } from './suite.js';

/** Bytes of a weight in memory when a model decodes in bfloat16. */
const WEIGHT_BYTES = 2;
/** The text's length, for what attention costs. */
const CONTEXT_BYTES = 2048;

const sizeOf = (shape: readonly number[]) => shape.reduce((product, extent) => product * extent, 1);

/** Matrices are read whole; of an embedding only the rows of the ids, which are left out. */
const matrixParameters = (tensors: readonly TensorSpec[], parts: readonly Part[]) =>
  tensors
    .filter(({ part, role, unused }) => unused !== true && role === 'linear' && parts.includes(part))
    .reduce((sum, { shape }) => sum + sizeOf(shape), 0);

/** What the model and its source cost, per byte and per step of the large transformer. */
interface Costs {
  flops(bytesPerStep: number): number;
  weights(bytesPerStep: number): number;
}

function costsOfModel(config: BltConfig): Costs {
  const tensors = bltTensors(config);
  const perByte = WEIGHT_BYTES * matrixParameters(tensors, ['encoder', 'decoder', 'head', 'patcher']);
  const perPatch = WEIGHT_BYTES * matrixParameters(tensors, ['global']);
  return {
    flops(bytesPerPatch) {
      const parts = forwardFlops(config, { bytes: CONTEXT_BYTES, bytesPerPatch });
      return Object.values(parts).reduce((sum, part) => sum + totalFlops(part), 0);
    },
    weights: (bytesPerPatch) => perByte + perPatch / bytesPerPatch,
  };
}

function costsOfSource(config: LlamaConfig, block: Parameters<typeof sourceForwardFlops>[0]): Costs {
  const embedding = config.tiedEmbeddings ? 0 : config.vocabSize * config.hiddenSize;
  const perToken = llamaTensors(config)
    .filter(({ shape }) => shape.length === 2)
    .reduce((sum, { shape }) => sum + sizeOf(shape), -embedding);
  return {
    flops(bytesPerToken) {
      const shape = { vocabSize: config.vocabSize, tokens: CONTEXT_BYTES / bytesPerToken };
      const { blocks, head } = sourceForwardFlops(block, shape);
      return (totalFlops(blocks) + totalFlops(head)) / bytesPerToken;
    },
    weights: (bytesPerToken) => (WEIGHT_BYTES * perToken) / bytesPerToken,
  };
}

/** The counts of a side, with what its costs amount to on these bytes. */
function withCosts(counts: Counts, costs: Costs, localSteps: number): Counts {
  const bytesPerStep = counts.bytes! / counts.steps!;
  return {
    ...counts,
    local_steps: localSteps * counts.bytes!,
    flops: costs.flops(bytesPerStep) * counts.bytes!,
    weight_bytes: costs.weights(bytesPerStep) * counts.bytes!,
  };
}

const perByte = (name: string, title: string, of: string, decimals: number, scale = 1): Metric => ({
  name,
  title,
  better: 'lower',
  decimals,
  of(sums) {
    const value = ratio(sums[of], sums.bytes);
    return value === null ? null : value / scale;
  },
});

const METRICS: readonly Metric[] = [
  { ...perByte('local_steps_per_byte', 'steps of the local models per byte', 'local_steps', 2), better: 'neither' },
  perByte('large_steps_per_byte', 'steps of the large transformer per byte', 'steps', 3),
  perByte('megaflops_per_byte', 'MFLOP per byte (products)', 'flops', 1, 1e6),
  perByte(
    'megabytes_of_weights_per_byte',
    'MB of weights read per byte, one sequence in bfloat16',
    'weight_bytes',
    1,
    1e6,
  ),
];

export const cost: DirectSuite = {
  name: 'cost',
  summary: 'steps, operations and weights read per byte of text, computed from the sizes and the patches',
  data: 'text: files and folders, each one kind',
  dataIsOptional: true,
  measure(options, models) {
    const { config } = models.model;
    const own = costsOfModel(config);
    const others = models.source === null ? null : costsOfSource(models.source.config, config.global);
    return estimateDocuments(options, models, METRICS, ({ kind, counts, tokens }) => ({
      groups: [kind],
      model: withCosts(counts, own, 1),
      source: others === null || tokens === null ? null : withCosts(tokens, others, 0),
    }));
  },
  notes: [
    'Costs are counted from the sizes of the models, for texts of 2,048 bytes; they say nothing about an implementation’s speed, which `byteify bench` measures. A step of the local models runs the patcher, the encoder and the decoder.',
  ],
};
