import { describe, expect, it } from 'vitest';
import { armsOf, costOf, spreadOf } from '../../../bench/scale/arms.mjs';

const arms = armsOf();
const equal = arms.filter(({ atBudget }) => atBudget);
const control = arms.at(-1)!;
const costs = equal.map(({ config, bytesPerPatch }) => costOf(config, bytesPerPatch));

describe('the arms', () => {
  it('cost the same per byte, which larger patches pay for', () => {
    expect(equal).toHaveLength(3);
    expect(spreadOf(costs.map(({ flopsPerByte }) => flopsPerByte))).toBeLessThan(0.001);
    const patches = equal.map(({ bytesPerPatch }) => bytesPerPatch);
    expect(patches).toEqual([...patches].sort((a, b) => a - b));
    expect(patches[0]).toBe(3);
  });

  it('spend most on the global transformer', () => {
    for (const { globalShare } of costs) expect(globalShare).toBeGreaterThan(0.6);
  });

  it('differ in the global transformer alone', () => {
    const [first, ...others] = arms.map(({ config: { global: _, ...rest } }) => rest);
    for (const other of others) expect(other).toEqual(first);
  });

  it('include the smallest model with the patches of the largest', () => {
    expect(control.config).toEqual(equal[0]!.config);
    expect(control.bytesPerPatch).toBe(equal.at(-1)!.bytesPerPatch);
    const { flopsPerByte } = costOf(control.config, control.bytesPerPatch);
    expect(flopsPerByte).toBeLessThan(0.7 * costs[0]!.flopsPerByte);
  });
});

describe('the spread of costs', () => {
  it('is how much the dearest exceeds the cheapest', () => {
    expect(spreadOf([100, 102, 101])).toBeCloseTo(0.02);
  });
});
