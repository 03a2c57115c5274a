import { describe, expect, it } from 'vitest';
import { type MuonShare, type StageShape, stageRuns } from '../../src/blt/index.js';
import { activationsOf } from '../../src/plan/activations.js';
import { type MemoryInputs, trainingMemory } from '../../src/plan/memory.js';
import { smallBlt } from '../support/small-blt.js';

const config = smallBlt();
const text = { bytes: 8, bytesPerPatch: 4 };
const endToEnd = (frozen: (StageShape & { kind: 'end-to-end' })['frozen'], prefix_kl = 0): StageShape => ({
  kind: 'end-to-end',
  frozen,
  losses: { prefix_kl },
});
const all = stageRuns(endToEnd([]));

describe('the values kept for the backward pass of a row of 8 bytes in 2 patches', () => {
  it('equal a count by hand in a layer of the latent global transformer', () => {
    const { layers, layer, layerInput, unrotated, attention } = activationsOf(config, text, all).global;
    expect([layers, layerInput]).toEqual([3, 2 * 8]);
    // width 8, keys and values 4 wide, feed-forward 3, two heads over 2 x 2 pairs
    expect(layer.wide).toBe(2 * (2 * 8 + 2 * 3));
    expect(unrotated).toBe(2 * (8 + 4));
    expect(layer.narrowed).toBe(2 * (4 * 8 + 3) + 2 * 4 * 2);
    expect(attention.blocks).toEqual({ wide: 0, narrowed: 2 * 4 });
    expect(attention.kernel).toEqual({ wide: 2 * 2, narrowed: 2 * 8 });
  });

  it('include keys once per block of queries that sees them', () => {
    const long = (window: number | null) => {
      const shape = { bytes: 512, bytesPerPatch: 4 };
      const { decoder } = activationsOf({ ...config, decoder: { ...config.decoder, window } }, shape, all);
      return decoder.layer.narrowed + decoder.attention.blocks.narrowed;
    };
    const positions = 512 * (4 * 4 + 3);
    // two blocks of 256 queries: 256 and 512 keys; with a window of 65 the second block sees 320
    expect(long(null)).toBe(positions + 2 * 4 * (256 + 512) + 2 * 256 * (256 + 512));
    expect(long(65)).toBe(positions + 2 * 4 * (256 + 320) + 2 * 256 * (256 + 320));
  });
});

describe('the decoder’s cross-attentions keep', () => {
  const kept = (crossAttnK: number) => activationsOf({ ...config, crossAttnK }, text, all).decoder;
  const around = (crossAttnK: number) => kept(crossAttnK).around;
  // 8 bytes, 4 wide: the input of the head, the logits
  const HEAD = { wide: 8 * (260 + 4), narrowed: 8 * 4 };

  it('with two rows per patch, mostly values per byte', () => {
    expect(around(2).wide).toBe(HEAD.wide + 2 * (8 * (2 * 4 + 4 * 2 * 2) + 2 * 2 * 4));
    expect(kept(2).patchRows).toBe(2 * 8 * 2 * 2 * 4);
    expect(around(2).narrowed).toBe(HEAD.narrowed + 2 * (8 * 2 * 4 + 2 * 2 * 4));
  });

  it('with one row, three inputs per patch', () => {
    expect(around(1).wide).toBe(HEAD.wide + 2 * (2 * 4));
    expect(kept(1).patchRows).toBe(0);
    expect(around(1).narrowed).toBe(HEAD.narrowed + 2 * (2 * 2 * 4));
  });
});

describe('nothing is kept', () => {
  const kept = (stage: StageShape) => {
    const activations = activationsOf(config, text, stageRuns(stage));
    return Object.entries(activations).flatMap(([part, { layers, around }]) => [
      ...(layers > 0 ? [part] : []),
      ...(around.wide > 0 ? [`around ${part}`] : []),
    ]);
  };
  const whole = ['decoder', 'around decoder', 'global', 'encoder', 'around encoder'];
  const distill = (frozen: readonly ('encoder' | 'hash')[]): StageShape => ({
    kind: 'distill-decoder',
    frozen,
    losses: { prefix_kl: 1, chunk: 0, embedding: 0 },
  });

  it.each([
    ['of the parts before the first trained one', endToEnd(['encoder', 'hash', 'global']), whole.slice(0, 2)],
    ['of the decoder, if the encoder is aligned', { kind: 'align-encoder', frozen: [] }, whole.slice(3)],
    ['of encoder and global, if the decoder reads the source', distill(['encoder', 'hash']), whole.slice(0, 2)],
    ['of patches that are not needed', distill([]), [...whole.slice(0, 2), 'encoder']],
    ['in closed form', { kind: 'closed-form' }, []],
    ['at least all of it', { kind: 'join', frozen: [], losses: { prefix_kl: 0 } }, whole],
  ] as [string, StageShape, string[]][])('%s', (_what, stage, parts) => {
    expect(kept(stage)).toEqual(parts);
  });
});

const counts = { encoder: 1e6, hash: 50e6, global: 100e6, decoder: 20e6, head: 1e6, patcher: 5e6 };
const NO_MUON: MuonShare = { parameters: 0, flopsPerStep: 0 };
const question: MemoryInputs = {
  config,
  counts,
  stage: endToEnd([]),
  source: { vocabSize: 1000, bytesPerToken: 2 },
  text,
  rows: 2,
  rowsPerStep: 2,
  precision: 'float32',
  gradientCheckpointing: false,
  optimizerState: 'float32',
  muon: NO_MUON,
  adapterParameters: 0,
  loadsSourceLayers: false,
  closedForm: null,
  frozenWeightBytes: 2,
};
const memory = (change: Partial<MemoryInputs> = {}) => trainingMemory({ ...question, ...change });

describe('a stage', () => {
  it('takes 4 bytes per trained weight, 2 per frozen one, 8 for moments, and gradients of all but the hash tables', () => {
    const { weightsBytes, momentsBytes, gradientsBytes } = memory();
    expect(weightsBytes).toBe(4 * 172e6 + 2 * 5e6);
    expect(momentsBytes).toBe(8 * 172e6);
    // Sixteen bytes read, of a table of ten rows.
    const sparseRows = 7 * 4 * 10 * 1 * 4;
    expect(gradientsBytes).toBe(4 * 122e6 + sparseRows);
    const large = { ...config, hash: { ...config.hash, vocab: 100 } };
    expect(memory({ config: large }).gradientsBytes).toBe(4 * 122e6 + 7 * 4 * 16 * 1 * 4);
  });

  it('that freezes the global transformer has neither its gradients nor its moments', () => {
    const frozen = memory({ stage: endToEnd(['global']) });
    expect(frozen.weightsBytes).toBe(4 * 72e6 + 2 * 105e6);
    expect(frozen.momentsBytes).toBe(8 * 72e6);
  });

  it('that freezes the hash tables still stores them in float32, because they are gathered from', () => {
    const frozen = memory({ stage: endToEnd(['encoder', 'hash', 'global', 'head']) });
    expect(frozen.weightsBytes).toBe(4 * (20e6 + 50e6) + 2 * 107e6);
  });

  it('with adapters counts them as trained', () => {
    const adapters = { rank: 1, alpha: 1, targets: ['q_proj'] };
    const lora = memory({
      stage: { kind: 'end-to-end', frozen: [], lora: adapters, losses: { prefix_kl: 0 } },
      adapterParameters: 3e6,
    });
    expect(lora.momentsBytes).toBe(8 * 75e6);
    expect(lora.weightsBytes).toBe(4 * 75e6 + 2 * 105e6);
  });

  it.each([
    ['bfloat16', 4],
    ['8-bit', 2.03125],
  ] as const)('stores moments in %s', (optimizerState, bytes) => {
    expect(memory({ optimizerState }).momentsBytes).toBe(bytes * 172e6);
  });

  it.each([
    ['float32', 4],
    ['bfloat16', 2],
    ['8-bit', 1.015625],
  ] as const)('has one moment in %s for what Muon trains, and two for the rest', (optimizerState, bytes) => {
    const muon = { parameters: 110e6, flopsPerStep: 0 };
    expect(memory({ optimizerState, muon }).momentsBytes).toBe(bytes * (110e6 + 2 * 62e6));
  });

  it('takes less with gradient checkpointing and in bfloat16, and its peak is below the sum of its components', () => {
    const wide = { text: { bytes: 1024, bytesPerPatch: 4 } };
    const plain = memory(wide);
    expect(memory({ ...wide, gradientCheckpointing: true }).activationsBytes).toBeLessThan(plain.activationsBytes);
    expect(memory({ ...wide, precision: 'bfloat16' }).activationsBytes).toBeLessThan(plain.activationsBytes);
    const { peakBytes, runtimeBytes, weightsBytes, momentsBytes, gradientsBytes, activationsBytes } = plain;
    expect(peakBytes).toBeLessThan(
      runtimeBytes + 1.1 * (weightsBytes + momentsBytes + gradientsBytes + activationsBytes),
    );
  });
});

describe('what a stage needs of the source is counted:', () => {
  // 1,000 entries 8 wide in float32; two rows of 8 bytes are 8 tokens of 2
  const TABLE = 4 * 1000 * 8;
  // logits and softmax in float32, sums in float64
  const DISTRIBUTION = 8 * 1000 * (4 + 4 + 8);
  // three rows of 3 and four of 8 per token, less than its distribution
  const LAYER = 4 * 8 * (3 * 3 + 4 * 8);
  const distill = (losses: { prefix_kl: number; chunk: number }): StageShape => ({
    kind: 'distill-decoder',
    frozen: ['encoder', 'hash'],
    losses: { embedding: 1, ...losses },
  });
  const join = (prefix_kl: number): StageShape => ({ kind: 'join', frozen: [], losses: { prefix_kl } });

  it.each([
    ['closed-form', { kind: 'closed-form' }, 2 * TABLE + DISTRIBUTION],
    ['align-encoder', { kind: 'align-encoder', frozen: [] }, TABLE],
    ['distill-decoder', distill({ prefix_kl: 1, chunk: 0 }), 2 * TABLE + DISTRIBUTION],
    ['distill-decoder, chunks', distill({ prefix_kl: 0, chunk: 1 }), 2 * TABLE + DISTRIBUTION],
    ['distill-decoder, bytes only', distill({ prefix_kl: 0, chunk: 0 }), TABLE + LAYER],
    ['join', join(0), 0],
    ['join, with the source', join(1), 2 * TABLE + DISTRIBUTION],
    ['end-to-end', endToEnd([]), 0],
    ['end-to-end, with the source', endToEnd([], 1), 2 * TABLE + DISTRIBUTION],
    ['patcher', { kind: 'patcher' }, 0],
  ] as [string, StageShape, number][])('%s', (_what, stage, bytes) => {
    expect(memory({ stage }).sourceBytes).toBe(bytes);
  });

  it('end-to-end that trains the layers: those of the source once more, as they are stored', () => {
    const stage = endToEnd([], 1);
    const [shared, second] = [memory({ stage }), memory({ stage, loadsSourceLayers: true })];
    expect(second.sourceBytes - shared.sourceBytes).toBe(2 * 100e6);
    expect(second.weightsBytes).toBe(shared.weightsBytes);
    expect(second.peakBytes - shared.peakBytes).toBeCloseTo(1.1 * 2 * 100e6, 0);
    const wide = { stage, loadsSourceLayers: true, frozenWeightBytes: 4 } as const;
    expect(memory(wide).sourceBytes - shared.sourceBytes).toBe(4 * 100e6);
  });

  // in millions: encoder 1, hash 50, global 100, decoder 20, head 1, patcher 5
  it.each([
    ['closed-form: no decoder; tables in float32', { kind: 'closed-form' }, 4 * 50e6 + 2 * (1e6 + 100e6 + 5e6), 0],
    ['align-encoder: encoder and tables', { kind: 'align-encoder', frozen: [] }, 4 * 51e6 + 2 * 5e6, 51e6],
    [
      'distill-decoder: the source’s blocks as the global transformer’s',
      distill({ prefix_kl: 1, chunk: 1 }),
      4 * (20e6 + 1e6) + 4 * 50e6 + 2 * (1e6 + 100e6 + 5e6),
      21e6,
    ],
    ['join: all but the global transformer', join(0), 4 * 72e6 + 2 * 105e6, 72e6],
    ['join with the source: its blocks only once', join(1), 4 * 72e6 + 2 * 105e6, 72e6],
    ['patcher: only itself', { kind: 'patcher' }, 4 * 5e6, 5e6],
  ] as [string, StageShape, number, number][])('%s', (_what, stage, weightsBytes, moved) => {
    expect(memory({ stage })).toMatchObject({ weightsBytes, momentsBytes: 8 * moved });
  });

  it('closed-form: float64 sums of one problem, and what the larger of its other phases keeps', () => {
    const closed = (solveBytes: number, encoder: 'back-off' | 'tables' = 'back-off') =>
      memory({ stage: { kind: 'closed-form' }, closedForm: { solveBytes, encoder } });
    const { sumsBytes, gradientsBytes, activationsBytes, peakBytes, ...rest } = closed(1000);
    // pooled 4 features to 8; the tables of 260 bytes and 10 n-grams once more; expectations in float16, and 4 values per patch of 4 bytes
    const always = 8 * 4 * (4 + 8) + 4 * (260 + 10) * 4;
    expect(sumsBytes).toBe(always + 1000 * (2 * 256 + 2));
    expect([gradientsBytes, activationsBytes]).toEqual([0, 0]);
    // plus the temporary values of the widest section, for two rows of 8 bytes: 3 · 3 + 4 · 4 per byte
    const held = rest.weightsBytes + rest.sourceBytes + sumsBytes + 4 * 2 * 8 * (3 * 3 + 4 * 4);
    expect(peakBytes).toBeCloseTo(rest.runtimeBytes + 1.1 * held, 0);
    // little text, and an encoder that is fitted by steps: 2 content channels of the tables and their moments
    expect(closed(1, 'tables').sumsBytes).toBe(always + 3 * 4 * (260 + 10) * 2);
    expect(memory().sumsBytes).toBe(0);
  });
});
