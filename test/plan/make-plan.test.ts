import { describe, expect, it } from 'vitest';
import { bltConfigFor, closedFormFlops } from '../../src/blt/index.js';
import { makePlan, trainingWorks } from '../../src/plan/make-plan.js';
import { sumParameters } from '../../src/plan/parameters.js';
import { localSizesOf, type Recipe, recipeSchema } from '../../src/recipe/index.js';
import { SMOLLM2 as llama } from '../support/smollm2.js';

const recipe: Recipe = recipeSchema.parse({
  name: 'test',
  stages: [
    {
      kind: 'end-to-end',
      steps: 10,
      batch_bytes: 8192,
      sequence_length: 1024,
      micro_batch_size: 2,
      frozen: ['global'],
    },
    { kind: 'end-to-end', steps: 20, batch_bytes: 4096, sequence_length: 1024, keep_checkpoints: 1 },
  ],
  patcher: { steps: 5, batch_bytes: 2048, sequence_length: 512 },
});

const config = bltConfigFor(llama, localSizesOf(llama, recipe));
const plan = (flopsPerSecond: number | null, change: Partial<Recipe> = {}) =>
  makePlan({
    config,
    recipe: { ...recipe, ...change },
    sourceBytes: 1000,
    sourceVocabSize: 49_152,
    sourceBytesPerWeight: 2,
    flopsPerSecond,
  });

describe('makePlan', () => {
  it('has a line for each stage, in order', () => {
    expect(plan(null).stages.map(({ stage }) => stage)).toEqual([
      'import',
      'remap',
      'patcher',
      'finetune 0 end-to-end',
      'finetune 1 end-to-end',
      'export',
    ]);
  });

  it('adds up disk, takes the largest memory, and sums the time of training', () => {
    const { stages, diskBytes, memoryBytes, seconds } = plan(1e12);
    expect(diskBytes).toBe(stages.reduce((sum, stage) => sum + stage.diskBytes, 0));
    expect(memoryBytes).toBe(Math.max(...stages.map(({ training }) => training?.memory.peakBytes ?? 0)));
    expect(seconds).toBeCloseTo(stages.reduce((sum, { training }) => sum + (training?.flops ?? 0), 0) / 1e12, 9);
    expect(plan(null).seconds).toBeNull();
  });

  it('counts the weights in the recipe’s dtypes', () => {
    const total = sumParameters(plan(null).parameters);
    const disk = (stage: string, change: Partial<Recipe> = {}) =>
      plan(null, change).stages.find((one) => one.stage === stage)?.diskBytes;
    expect(disk('import')).toBe(1000);
    expect(disk('remap')).toBe(2 * total);
    expect(disk('remap', { blt: { ...recipe.blt, dtype: 'float32' } })).toBe(4 * total);
    expect(disk('export')).toBe(2 * total);
    expect(disk('export', { export: { ...recipe.export, dtype: 'float32' } })).toBe(4 * total);
  });
});

describe('trainingWorks', () => {
  it('reads rows, frozen parts and checkpoints from the recipe', () => {
    expect(trainingWorks(recipe, config)).toMatchObject([
      { name: 'patcher', steps: 5, rowBytes: 512, rowsPerStep: 4, microBatchRows: 4, stage: { kind: 'patcher' } },
      {
        steps: 10,
        rowsPerStep: 8,
        microBatchRows: 2,
        stage: { kind: 'end-to-end', frozen: ['global'] },
        keepCheckpoints: 2,
      },
      {
        steps: 20,
        rowsPerStep: 4,
        microBatchRows: 4,
        stage: { kind: 'end-to-end', frozen: [] },
        keepCheckpoints: 1,
      },
    ]);
  });
});

describe('a plan with Muon', () => {
  const { patcher, global, encoder } = plan(null).parameters;
  const byMuon = recipeSchema.parse({
    name: 'test',
    patcher: { ...recipe.patcher, optimizer: 'muon' },
    stages: recipe.stages.map((stage) => ({ ...stage, optimizer: 'muon' })),
  });
  const [before, after] = [recipe, byMuon].map((of) => trainingWorks(of, config));

  it('counts one moment for the matrices that each stage trains, and the products of their updates', () => {
    expect(before!.map(({ muon }) => muon.parameters)).toEqual([0, 0, 0]);
    const [ofPatcher, frozen, whole] = after!.map(({ muon }) => muon);
    expect(ofPatcher!.parameters).toBeGreaterThan(0.9 * (patcher - 260 * 2 * config.patcher.hiddenSize));
    expect(ofPatcher!.parameters).toBeLessThan(patcher);
    // All but the norms of the latent global transformer are matrices.
    const norms = 2 * config.global.layers * config.global.hiddenSize;
    expect(whole!.parameters - frozen!.parameters).toBe(global - norms);
    expect(frozen!.parameters).toBeGreaterThan(encoder / 2);
    const flops = (of: Recipe) => plan(null, of).stages.flatMap(({ training }) => training?.flops ?? []);
    const steps = after!.map(({ steps: count }) => count);
    const more = flops(byMuon).map((value, i) => value - flops(recipe)[i]!);
    for (const [i, { muon }] of after!.entries()) expect(more[i]! / (steps[i]! * muon.flopsPerStep)).toBeCloseTo(1, 6);
  });

  it('does not count LoRA’s adapters as Muon’s', () => {
    const lora = { kind: 'end-to-end', steps: 1, optimizer: 'muon', lora: {} };
    const [, work] = trainingWorks(recipeSchema.parse({ name: 'test', stages: [lora] }), config);
    expect(work!.adapterParameters).toBeGreaterThan(0);
    expect(work!.muon.parameters).toBe(after![1]!.muon.parameters);
  });
});

describe('the stages of distillation', () => {
  const distilled: Recipe = recipeSchema.parse({
    name: 'test',
    patcher: { kind: 'aligned', steps: 5, batch_bytes: 2048, sequence_length: 512 },
    stages: [
      {
        kind: 'closed-form',
        text_bytes: 100_000,
        solve_bytes: 40_000,
        ngram_bytes: 90_000,
        sequence_length: 512,
        micro_batch_size: 2,
      },
      { kind: 'align-encoder', steps: 10, batch_bytes: 4096, sequence_length: 1024 },
      {
        kind: 'distill-decoder',
        steps: 20,
        batch_bytes: 4096,
        sequence_length: 1024,
        frozen: ['encoder', 'hash'],
        source_states_cache_bytes: 1e6,
      },
      { kind: 'join', steps: 3, batch_bytes: 4096, sequence_length: 1024 },
      { kind: 'end-to-end', steps: 4, batch_bytes: 4096, sequence_length: 1024 },
    ],
  });
  const trainings = plan(1e12, distilled).stages.flatMap(({ training }) => training ?? []);
  const counts = plan(null).parameters;

  it('are named by index and kind, with steps and text', () => {
    expect(trainings.map(({ stage, steps, bytes }) => [stage, steps, bytes])).toEqual([
      ['patcher', 5, 5 * 2048],
      // The text of the tables and that of the solves; the n-grams learn from either and more.
      ['finetune 0 closed-form', 0, 140_000],
      ['finetune 1 align-encoder', 10, 10 * 4096],
      ['finetune 2 distill-decoder', 20, 20 * 4096],
      ['finetune 3 join', 3, 3 * 4096],
      ['finetune 4 end-to-end', 4, 4 * 4096],
    ]);
  });

  it('count the moments of what they train: all but the global transformer, and finally that too', () => {
    const { encoder, hash, decoder, head, global } = counts;
    expect(trainings.slice(1).map(({ trainedParameters }) => trainedParameters)).toEqual([
      0,
      encoder + hash,
      decoder + head,
      encoder + hash + decoder + head,
      encoder + hash + decoder + head + global,
    ]);
  });

  it('write what they train in float32 with its moments, and the source’s states within their budget', () => {
    const [, closed, , distill] = trainings;
    const { encoder, hash, decoder, head } = counts;
    expect(closed?.diskBytes).toBe(4 * (encoder + hash + decoder + head));
    expect(distill?.diskBytes).toBe(2 * 12 * (decoder + head) + 1e6);
  });

  it('cost less per byte than end-to-end training, even distill-decoder with the source', () => {
    const [, , align, distill, join, whole] = trainings.map(({ flopsPerByte }) => flopsPerByte);
    for (const [less, more] of [
      [align, distill],
      [distill, whole],
      [join, whole],
    ])
      expect(less).toBeLessThan(more!);
    expect(trainings.map(({ sourceFlopsPerByte }) => sourceFlopsPerByte > 0)).toEqual([
      false,
      true,
      false,
      true,
      false,
      false,
    ]);
  });

  it('count a closed form by its settings: fewer operations with fewer fits, and text that only the n-grams read', () => {
    const closed = (settings: object) => {
      const stages = [{ ...distilled.stages[0], ...settings }];
      const parsed = recipeSchema.parse({ name: 'test', patcher: { kind: 'aligned' }, stages });
      return plan(null, { ...distilled, stages: parsed.stages }).stages.flatMap(({ training }) => training ?? [])[1]!;
    };
    const work = { textBytes: 100_000, solveBytes: 40_000, ngramBytes: 90_000, encoder: 'tables' } as const;
    const source = { vocabSize: 49_152, bytesPerToken: 3.5 };
    const { flops } = closed({ encoder: 'tables', decoder: 'linear' });
    const wanted = closedFormFlops({
      ...{ config, text: { bytes: 512, bytesPerPatch: 3.5 }, source },
      work: { ...work, decoder: 'linear', patchEnds: 100_000 / 3.5 + 49_152, positions: 2 * 40_000 },
    });
    expect(flops / wanted).toBeCloseTo(1, 9);
    expect(closed({ encoder: 'tables' }).flops).toBeGreaterThan(flops);
    expect(closed({ encoder: 'feed-forward', decoder: 'linear' }).flops).toBeGreaterThan(flops);
    expect(closed({ ngram_bytes: 500_000 }).bytes).toBe(540_000);
    expect(closed({ ngram_bytes: 0 }).bytes).toBe(140_000);
    expect(closed({ solve_bytes: 8_000_000 }).memory.sumsBytes).toBeGreaterThan(8e6 * 512);
  });

  it('load the source’s layers once more where they have been trained', () => {
    const learning = { steps: 3, losses: { prefix_kl: 1 } };
    const { stages } = recipeSchema.parse({
      name: 'test',
      stages: [
        { kind: 'join', ...learning },
        { kind: 'end-to-end', steps: 3 },
        { kind: 'end-to-end', ...learning },
        { kind: 'join', ...learning },
      ],
    });
    const works = trainingWorks({ ...distilled, stages }, config);
    expect(works.map(({ loadsSourceLayers }) => loadsSourceLayers)).toEqual([false, false, false, true, true]);
    const [, before, , , after] = plan(null, { ...distilled, stages }).stages.flatMap(({ training }) => training ?? []);
    expect(after!.memory.sourceBytes - before!.memory.sourceBytes).toBe(2 * counts.global);
    expect(after!.flopsPerByte).toBe(before!.flopsPerByte);
  });

  it('assume patches of one token for an aligned patcher, of 4.5 bytes otherwise, or the stated size', () => {
    const patches = (patcher: object) => {
      const parsed = recipeSchema.parse({ name: 'test', patcher, stages: [{ kind: 'end-to-end', steps: 1 }] });
      return plan(null, { patcher: parsed.patcher }).bytesPerPatch;
    };
    expect(patches({ kind: 'aligned' })).toBe(3.5);
    expect(patches({})).toBe(4.5);
    expect(patches({ target_bytes_per_patch: 2 })).toBe(2);
  });
});
