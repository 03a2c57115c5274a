/** @module Suite `cost`: what a byte of text costs, beside the source: steps, matrix products, and the weights that decoding reads. Computed, not timed. */
import { modelCosts, type PartCost, sourceCosts, totalCost } from '../costs.js';
import { type Counts, type Metric, ratio } from './metric.js';
import { estimateDocuments } from './patch-counts.js';
import type { DirectSuite } from './suite.js';

/** The counts of a side, with what its costs amount to on these bytes. */
function withCosts(counts: Counts, costs: (bytesPerStep: number) => PartCost[], localSteps: number): Counts {
  const { flops, weightBytes } = totalCost(costs(counts.bytes! / counts.steps!));
  return {
    ...counts,
    local_steps: localSteps * counts.bytes!,
    flops: flops * counts.bytes!,
    weight_bytes: weightBytes * counts.bytes!,
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
    const { source } = models;
    const own = (bytesPerPatch: number) => modelCosts(config, bytesPerPatch);
    const others = (bytesPerToken: number) => sourceCosts(source!.config, config.global, bytesPerToken);
    return estimateDocuments(options, models, METRICS, ({ kind, counts, tokens }) => ({
      groups: [kind],
      model: withCosts(counts, own, 1),
      source: source === null || tokens === null ? null : withCosts(tokens, others, 0),
    }));
  },
  notes: [
    'Costs are counted from the sizes of the models, for texts of 2,048 bytes; they say nothing about an implementation’s speed, which `byteify bench` measures. A step of the local models runs the patcher, the encoder and the decoder.',
  ],
};
