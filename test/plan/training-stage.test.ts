import { describe, expect, it } from 'vitest';
import {
  forwardFlops,
  type MuonShare,
  type StageShape,
  stageFlops,
  totalFlops,
  trainingFlops,
} from '../../src/blt/index.js';
import { type TrainingWork, trainingStageCost } from '../../src/plan/training-stage.js';
import { smallBlt, smallTransformer } from '../support/small-blt.js';

const block = smallTransformer(8, { layers: 2, intermediateSize: 16 });
const config = smallBlt({
  encoder: block,
  decoder: { ...block, crossAttnAllLayers: true },
  global: block,
  patcher: block,
});
const counts = { encoder: 1, hash: 10, global: 100, decoder: 1000, head: 10_000, patcher: 100_000 };
const NO_MUON: MuonShare = { parameters: 0, flopsPerStep: 0 };
const work: TrainingWork = {
  name: 'finetune',
  stage: { kind: 'end-to-end', frozen: [], losses: { prefix_kl: 0 } },
  steps: 5,
  muon: NO_MUON,
  closedForm: null,
  bytes: 5 * 4 * 64,
  rowBytes: 64,
  rowsPerStep: 4,
  microBatchRows: 2,
  bytesPerPatch: 4,
  precision: 'float32',
  gradientCheckpointing: false,
  optimizerState: 'float32',
  adapterParameters: 0,
  keepCheckpoints: 2,
  sourceStatesCacheBytes: 0,
  loadsSourceLayers: false,
};
const source = { vocabSize: 100, bytesPerToken: 2 };
const cost = (change: Partial<TrainingWork>, flopsPerSecond: number | null = null) =>
  trainingStageCost({ config, counts, source, work: { ...work, ...change }, frozenWeightBytes: 2, flopsPerSecond });
const forward = forwardFlops(config, { bytes: 64, bytesPerPatch: 4 });

describe('trainingStageCost', () => {
  it('counts three forward passes of the model and one of the patcher for end-to-end', () => {
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

  it('adds Muon’s products once per step, and stores one moment less of what it trains', () => {
    const withMuon = cost({ muon: { parameters: 500, flopsPerStep: 1000 } });
    expect(withMuon.flops).toBe(cost({}).flops + 5 * 1000);
    expect(withMuon.diskBytes).toBe(cost({}).diskBytes - 2 * 4 * 500);
    expect(withMuon.memory.momentsBytes).toBe(cost({}).memory.momentsBytes - 4 * 500);
  });

  it('counts what the stage runs, and what it needs of the source', () => {
    const stage: StageShape = {
      kind: 'distill-decoder',
      frozen: ['encoder', 'hash'],
      losses: { prefix_kl: 1, chunk: 0.5, embedding: 1 },
    };
    const { flopsPerByte, sourceFlopsPerByte, flops, trainedParameters } = cost({ stage });
    const per = stageFlops({ config, text: { bytes: 64, bytesPerPatch: 4 }, source, stage });
    expect(sourceFlopsPerByte).toBe(per.sourceStates + per.sourceHead);
    expect(flopsPerByte).toBe(per.model + per.sourceStates + per.sourceHead);
    expect(flops).toBe(5 * 4 * 64 * flopsPerByte);
    expect(trainedParameters).toBe(1000 + 10_000);
    expect(cost({}).sourceFlopsPerByte).toBe(0);
  });

  it('counts the source’s states on disk at two bytes per value, within the recipe’s budget', () => {
    const disk = (stage: StageShape, sourceStatesCacheBytes: number) =>
      cost({ stage, sourceStatesCacheBytes }).diskBytes;
    const losses = { prefix_kl: 1, chunk: 0.5, embedding: 1 };
    const distill: StageShape = { kind: 'distill-decoder', frozen: [], losses };
    // 1,280 bytes of text are 640 tokens of 8 values
    expect(disk(distill, 1e9) - disk(distill, 0)).toBe(2 * 8 * 640);
    expect(disk(distill, 500) - disk(distill, 0)).toBe(500);
    const join = (prefix_kl: number): StageShape => ({ kind: 'join', frozen: [], losses: { prefix_kl } });
    expect(disk(join(0), 1e9)).toBe(disk(join(0), 0));
    expect(disk(join(1), 1e9) - disk(join(1), 0)).toBe(2 * 8 * 640);
  });

  it('counts only the patcher’s FLOPs, memory and checkpoints for its own training', () => {
    const patcher = cost({ stage: { kind: 'patcher' } });
    expect(patcher.flopsPerByte).toBe(trainingFlops(forward.patcher, 'trained'));
    expect(patcher.memory).toMatchObject({ weightsBytes: 400_000, gradientsBytes: 400_000, momentsBytes: 800_000 });
    expect(patcher.diskBytes).toBe(2 * 12 * 100_000);
  });

  it('counts the activations of one micro-batch, and the recipe’s number of checkpoints', () => {
    expect(cost({}).memory.activationsBytes).toBe(2 * cost({ microBatchRows: 1 }).memory.activationsBytes);
    expect(cost({ microBatchRows: 100 }).memory.activationsBytes).toBe(
      cost({ microBatchRows: 4 }).memory.activationsBytes,
    );
    expect(cost({}).diskBytes).toBe(2 * 12 * 11_111);
  });

  it('has no time without a rate', () => {
    expect(cost({}).seconds).toBeNull();
  });
});
