import { describe, expect, it } from 'vitest';
import { bltConfigFor } from '../../../src/blt/index.js';
import { divideBudget, parseBudget, renderBudget } from '../../../src/plan/index.js';
import { isOverridden, loadRecipe, localSizesOf, type Recipe, recipeSchema } from '../../../src/recipe/index.js';
import { SMOLLM2 as llama } from '../../support/smollm2.js';

const training = { batch_bytes: 8192, sequence_length: 1024, micro_batch_size: 4 };
/** The sizes of a shipped recipe, with a stage of every kind. */
const recipe: Recipe = {
  ...(await loadRecipe('smollm2-135m')),
  stages: recipeSchema.parse({
    name: 'test',
    stages: [
      { kind: 'closed-form' },
      { kind: 'align-encoder', steps: 300, warmup_steps: 30, ...training },
      { kind: 'distill-decoder', steps: 1000, validate_every: 200, checkpoint_every: 200, ...training },
      { kind: 'join', steps: 50, warmup_steps: 5, ...training },
      { kind: 'end-to-end', steps: 460, warmup_steps: 46, ...training },
    ],
  }).stages,
};
const RATE = 1.28e11;

const divided = (
  budget: string,
  options: { recipe?: Recipe; textBytes?: number | null; sets?: string[]; rate?: number | null } = {},
) => {
  const { recipe: given = recipe, textBytes = null, sets = [], rate = RATE } = options;
  return divideBudget({
    config: bltConfigFor(llama, localSizesOf(llama, given)),
    recipe: given,
    sourceBytes: 1,
    sourceVocabSize: llama.vocabSize,
    sourceBytesPerWeight: 2,
    flopsPerSecond: rate,
    budget: parseBudget(budget),
    textBytes,
    isSet: isOverridden(sets),
  });
};
const stepsOf = ({ patcher, stages }: Recipe) => [
  patcher.steps,
  ...stages.map((stage) => (stage.kind === 'closed-form' ? 0 : stage.steps)),
];
const spent = ({ stages }: ReturnType<typeof divided>) => stages.reduce((sum, { flops }) => sum + flops, 0);

describe('divideBudget', () => {
  it('spends a time at the rate of the machine, and the same FLOPs alike', () => {
    const [hours, work] = [divided('2h'), divided(`${2 * 3600 * RATE}`, { rate: null })];
    expect(hours.flops).toBe(2 * 3600 * RATE);
    expect(stepsOf(hours.recipe)).toEqual(stepsOf(work.recipe));
    expect(spent(hours)).toBeLessThanOrEqual(hours.flops);
    expect(spent(hours)).toBeGreaterThan(0.98 * hours.flops);
    expect(hours.stages.map(({ steps }) => steps)).toEqual(stepsOf(hours.recipe));
  });

  it('keeps warm-ups and intervals in proportion, and all other keys', () => {
    const { recipe: chosen } = divided('2h');
    expect(chosen.patcher.warmup_steps / chosen.patcher.steps).toBeCloseTo(0.1, 1);
    const [before, after] = [recipe.stages[2]!, chosen.stages[2]!];
    if (before.kind !== 'distill-decoder' || after.kind !== 'distill-decoder') throw new Error('another stage');
    expect(after.steps).toBeLessThan(before.steps);
    for (const key of ['warmup_steps', 'validate_every', 'checkpoint_every'] as const)
      expect(after[key], key).toBe(Math.round((before[key] * after.steps) / before.steps));
    const { steps: _a, warmup_steps: _b, validate_every: _c, checkpoint_every: _d, ...rest } = after;
    expect(before).toMatchObject(rest);
    expect(chosen.stages[0]).toEqual(recipe.stages[0]);
  });

  it('leaves steps that were set as they are, pays for them first, and keeps other keys that were set', () => {
    const sets = ['stages.2.steps=1000', 'stages.4.warmup_steps=46'];
    const [free, pinned] = [divided('8h'), divided('8h', { sets })];
    expect(pinned.recipe.stages[2]).toEqual(recipe.stages[2]);
    expect(pinned.recipe.stages[4]).toMatchObject({ warmup_steps: 46 });
    expect(stepsOf(pinned.recipe)[5]).not.toBe(stepsOf(free.recipe)[5]);
    expect(spent(pinned)).toBeLessThanOrEqual(pinned.flops);
    expect(spent(pinned)).toBeGreaterThan(0.98 * pinned.flops);
  });

  it('reads no text more often than is useful', () => {
    const { stages, unspentFlops, flops } = divided('8h', { textBytes: 400_000 });
    for (const { bytes, steps } of stages) if (steps > 0) expect(bytes / 400_000).toBeLessThanOrEqual(4);
    expect(unspentFlops).toBeGreaterThan(flops / 2);
  });

  it('pays for a closed form only what it reads', () => {
    const [much, little] = [divided('2h'), divided('2h', { textBytes: 100_000 })].map(({ stages }) => stages[1]!);
    expect(little!.bytes).toBe(100_000);
    expect(little!.flops).toBeLessThan(much!.flops / 2);
  });

  it('says how much is needed at least, and that is enough', () => {
    let hint = '';
    try {
      divided('1m');
    } catch (error) {
      expect(error).toMatchObject({ message: expect.stringMatching(/^--budget 1m is too small/), exitCode: 2 });
      hint = (error as { hint: string }).hint;
    }
    const [, work, time] = /at least ([\d.]+) TFLOP \((.+?)\)\. Closed forms/.exec(hint) ?? [];
    expect(time).toMatch(/min/);
    expect(() => divided(`${work}T`)).not.toThrow();
    expect(() => divided(`${Number(work) * 0.9}T`)).toThrow(/too small/);
  });

  it('refuses a budget where every number of steps was set', () => {
    const paper = recipeSchema.parse({ name: 'test', stages: [{ kind: 'end-to-end', steps: 5 }] });
    const sets = ['patcher.steps=5', 'stages.0.steps=5'];
    expect(() => divided('8h', { recipe: paper, sets })).toThrow(/nothing to choose/);
  });
});

describe('renderBudget', () => {
  it('has a sentence and a line per stage, and says if the text is too short', () => {
    const lines = (textBytes: number | null) =>
      renderBudget(parseBudget('8h'), divided('8h', { textBytes }), RATE).trimEnd().split('\n');
    const plenty = lines(1e9);
    expect(plenty[0]).toMatch(/^The budget of 8h is 3\.69 PFLOP at 128 GFLOP\/s\. The steps of each stage:$/);
    expect(plenty[1]).toMatch(/^stage +steps +text +epochs +work +time$/);
    expect(plenty[2]).toMatch(/^patcher +[\d,]+ +[\d.]+ [MG]B +0\.\d\d +[\d.]+ [TP]FLOP +\d/);
    expect(plenty).toHaveLength(2 + 6);
    expect(lines(400_000).at(-1)).toMatch(/are left over: no stage reads the text more than 4 times/);
    expect(lines(null).join('\n')).not.toMatch(/NaN|null|undefined/);
  });
});
