import { describe, expect, it } from 'vitest';
import type { BltConfig, Part, TransformerConfig } from '../../src/blt/index.js';
import { forwardFlops, totalFlops, trainingFlops } from '../../src/plan/flops.js';
import { type TrainingWork, trainingStageCost } from '../../src/plan/training-stage.js';

const block: TransformerConfig = {
  hiddenSize: 8,
  layers: 2,
  heads: 2,
  kvHeads: 2,
  intermediateSize: 16,
  rmsNormEps: 1e-5,
  rope: { type: 'default', theta: 10_000 },
  maxPositions: 100,
  window: null,
};
const config: BltConfig = {
  vocabSize: 260,
  crossAttnK: 2,
  hash: { sizes: [3], functions: 1, vocab: 10 },
  encoder: block,
  decoder: { ...block, crossAttnAllLayers: true },
  global: block,
  patcher: block,
  patching: { threshold: 1, maxPatchLength: null },
  maxPositions: 100,
};
const counts = { encoder: 1, hash: 10, global: 100, decoder: 1000, head: 10_000, patcher: 100_000 };
const work: TrainingWork = {
  name: 'finetune',
  steps: 5,
  rowBytes: 64,
  rowsPerStep: 4,
  microBatchRows: 2,
  bytesPerPatch: 4,
  trains: ['encoder', 'hash', 'global', 'decoder', 'head'],
  precision: 'float32',
  gradientCheckpointing: false,
  optimizerState: 'float32',
  adapterParameters: 0,
  keepCheckpoints: 2,
};
const cost = (change: Partial<TrainingWork>, flopsPerSecond: number | null = null) =>
  trainingStageCost({ config, counts, work: { ...work, ...change }, frozenWeightBytes: 2, flopsPerSecond });
const forward = forwardFlops(config, { bytes: 64, bytesPerPatch: 4 });

describe('trainingStageCost', () => {
  it('end to end: three forward passes of the model and one of the patcher', () => {
    const { flopsPerByte, bytes, flops, seconds } = cost({}, 1e6);
    const model = (['encoder', 'global', 'decoder', 'head'] as const).reduce(
      (sum, part) => sum + totalFlops(forward[part]),
      0,
    );
    expect(flopsPerByte).toBe(3 * model + totalFlops(forward.patcher));
    expect(bytes).toBe(5 * 4 * 64);
    expect(flops).toBe(bytes * flopsPerByte);
    expect(seconds).toBe(flops / 1e6);
  });

  it('a frozen global transformer still passes gradients to the encoder', () => {
    const frozen = cost({ trains: ['encoder', 'hash', 'decoder', 'head'] });
    expect(cost({}).flopsPerByte - frozen.flopsPerByte).toBeCloseTo(forward.global.weights, 6);
  });

  it('nothing goes back beyond the first trained part', () => {
    const { flopsPerByte } = cost({ trains: ['decoder', 'head'] });
    const once = totalFlops(forward.encoder) + totalFlops(forward.global) + totalFlops(forward.patcher);
    expect(flopsPerByte).toBe(
      once + trainingFlops(forward.decoder, 'trained') + trainingFlops(forward.head, 'trained'),
    );
    // The hash tables feed the encoder, so training them needs its gradients.
    const { flopsPerByte: hashOnly } = cost({ trains: ['hash'] });
    expect(hashOnly - totalFlops(forward.patcher)).toBe(
      (['encoder', 'global', 'decoder', 'head'] as const).reduce(
        (sum, part) => sum + trainingFlops(forward[part], 'frozen'),
        0,
      ),
    );
  });

  it('the patcher is trained alone: its own FLOPs, memory and checkpoints', () => {
    const patcher = cost({ trains: ['patcher'] as Part[] });
    expect(patcher.flopsPerByte).toBe(trainingFlops(forward.patcher, 'trained'));
    expect(patcher.memory).toMatchObject({ weightsBytes: 400_000, gradientsBytes: 400_000, momentsBytes: 800_000 });
    expect(patcher.diskBytes).toBe(2 * 12 * 100_000);
  });

  it('keeps activations of a micro-batch only, and checkpoints as told', () => {
    expect(cost({}).memory.activationsBytes).toBe(2 * cost({ microBatchRows: 1 }).memory.activationsBytes);
    expect(cost({ microBatchRows: 100 }).memory.activationsBytes).toBe(
      cost({ microBatchRows: 4 }).memory.activationsBytes,
    );
    expect(cost({}).diskBytes).toBe(2 * (4 * 111_111 + 8 * 11_111));
  });

  it('knows no time without a rate', () => {
    expect(cost({}).seconds).toBeNull();
  });
});
