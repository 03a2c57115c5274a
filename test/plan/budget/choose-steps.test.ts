import { describe, expect, it } from 'vitest';
import { chooseSteps, leastFlops, type SteppedStage } from '../../../src/plan/budget/choose-steps.js';
import { MAX_EPOCHS, SHARES, type SteppedKind, sharesOf } from '../../../src/plan/budget/shares.js';

const ALL = Object.keys(SHARES) as SteppedKind[];
const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

describe('sharesOf', () => {
  it('adds up to 1, for any kinds', () => {
    expect(sum(Object.values(SHARES))).toBeCloseTo(1, 12);
    for (const kinds of [ALL, ALL.slice(0, 2), ALL.slice(3), ['join', 'join', 'patcher'] as SteppedKind[]])
      expect(sum(sharesOf(kinds))).toBeCloseTo(1, 12);
  });

  it('passes the share of an absent kind to the next one, or to the last', () => {
    expect(sharesOf(ALL)).toEqual(Object.values(SHARES));
    const [patcher, rest] = sharesOf(['patcher', 'end-to-end']) as [number, number];
    expect(patcher).toBe(SHARES.patcher);
    expect(rest).toBeCloseTo(1 - SHARES.patcher, 12);
    const [, , join] = sharesOf(['patcher', 'distill-decoder', 'join']) as [number, number, number];
    expect(join).toBeCloseTo(SHARES.join + SHARES['end-to-end'], 12);
  });

  it('is divided equally among stages of one kind', () => {
    const [, first, second] = sharesOf(['patcher', 'end-to-end', 'end-to-end']);
    expect(first).toBe(second);
  });
});

describe('chooseSteps', () => {
  const stages: SteppedStage[] = [
    { kind: 'patcher', stepFlops: 10, stepBytes: 100 },
    { kind: 'distill-decoder', stepFlops: 70, stepBytes: 50 },
    { kind: 'end-to-end', stepFlops: 30, stepBytes: 50 },
  ];
  const spent = (steps: readonly number[]) => sum(steps.map((count, i) => count * stages[i]!.stepFlops));

  it('spends nearly everything, by the shares', () => {
    const { steps, unspentFlops } = chooseSteps(stages, 1e6, null);
    expect(spent(steps) + unspentFlops).toBeCloseTo(1e6, 6);
    expect(unspentFlops).toBeLessThan(30);
    sharesOf(stages.map(({ kind }) => kind)).forEach((share, i) => {
      expect(Math.abs(steps[i]! * stages[i]!.stepFlops - share * 1e6)).toBeLessThanOrEqual(2 * 70);
    });
  });

  it('reads the text at most so many times, and passes what is left to the next stage', () => {
    const free = chooseSteps(stages, 1e6, null).steps;
    const short = chooseSteps(stages, 1e6, 300_000).steps;
    expect(short[0]).toBe((MAX_EPOCHS * 300_000) / 100);
    expect(short[0]).toBeLessThan(free[0]!);
    expect(spent(short)).toBeGreaterThan(1e6 - 30);
    expect(short[1]).toBeGreaterThan(free[1]!);
  });

  it('tells what no stage can use', () => {
    const { steps, unspentFlops } = chooseSteps(stages, 1e6, 1000);
    expect(steps).toEqual([40, 80, 80]);
    expect(unspentFlops).toBeCloseTo(1e6 - spent(steps), 6);
  });

  it('takes at least one step of each, from the smallest number of FLOPs on', () => {
    const least = leastFlops(stages);
    const { steps } = chooseSteps(stages, least, null);
    expect(Math.min(...steps)).toBe(1);
    expect(spent(steps)).toBeLessThanOrEqual(least);
    expect(chooseSteps(stages, least, 1).steps).toEqual([1, 1, 1]);
  });
});
