import { describe, expect, it } from 'vitest';
import { bltConfigFor, deriveLocalSizes } from '../../src/blt/index.js';
import { withHeads } from '../../src/plan/global-family.js';
import { inferenceFlops, patchSizeFor, type Scale, scaleAt } from '../../src/plan/scale.js';
import { SMOLLM2 } from '../support/smollm2.js';

const config = bltConfigFor(SMOLLM2, deriveLocalSizes(SMOLLM2));
const text = { bytes: 1024, bytesPerPatch: 4.5 };
const own = inferenceFlops(config, text);
const at = (budget: number | null, patchSizes: readonly number[] = [3.5, 4.5, 6, 8]): Scale =>
  scaleAt({ config, text, budget, patchSizes });
const costOf = (heads: number, bytesPerPatch: number) =>
  inferenceFlops({ ...config, global: withHeads(config.global, heads) }, { bytes: 1024, bytesPerPatch });

describe('the sizes that a budget allows', () => {
  it('contain the recipe’s own model at its own patch size, if the budget is what it costs', () => {
    const { budgetFlopsPerByte, own: point, sizes, patches } = at(null);
    expect(budgetFlopsPerByte).toBe(own);
    expect(point).toEqual({ bytesPerPatch: 4.5, flopsPerByte: own });
    const source = sizes.filter(({ size }) => size.isSource);
    expect(source).toHaveLength(1);
    expect(source[0]!.bytesPerPatch).toBeCloseTo(4.5, 9);
    expect(source[0]!.size).toMatchObject({ hiddenSize: 576, layers: 30, heads: 9, kvHeads: 3 });
    // 134.5 M parameters of the source less its embeddings and its last norm.
    expect(source[0]!.size.parameters).toBe(134_515_008 - 49_152 * 576 - 576);
    expect(patches.find(({ bytesPerPatch }) => bytesPerPatch === 4.5)!.largest).toEqual(source[0]!.size);
  });

  it.each([null, 3e8, 5e9])('cost exactly the budget at their patch sizes (budget %s)', (budget) => {
    const { budgetFlopsPerByte, sizes } = at(budget);
    expect(sizes.length).toBeGreaterThan(5);
    for (const { size, bytesPerPatch } of sizes)
      if (typeof bytesPerPatch === 'number')
        expect(costOf(size.heads, bytesPerPatch) / budgetFlopsPerByte).toBeCloseTo(1, 9);
  });

  it('need larger patches the larger they are, from about 2 bytes to at most 16', () => {
    const { sizes } = at(null);
    const [parameters, patches] = [sizes.map(({ size }) => size.parameters), sizes.map((one) => one.bytesPerPatch)];
    expect(parameters).toEqual([...parameters].sort((a, b) => a - b));
    expect(patches).toEqual([...patches].sort((a, b) => Number(a) - Number(b)));
    expect(patches[0]).toBeLessThan(2.01);
    expect(patches.at(-1)).toBeGreaterThan(8);
    expect(patches.at(-1)).toBeLessThanOrEqual(16);
  });

  it('say that there is no patch size if what runs at every byte costs as much as the budget', () => {
    const { localFlopsPerByte } = at(null);
    expect(localFlopsPerByte).toBeLessThan(own);
    const { sizes, patches } = at(localFlopsPerByte);
    expect(sizes).toMatchObject([{ size: { isSource: true }, bytesPerPatch: 'none' }]);
    for (const { largest } of patches) expect(largest).toBeNull();
    expect(patchSizeFor(config, { bytes: 1024, budget: 1.001 * localFlopsPerByte })).toBeGreaterThan(100);
  });

  it('say so if a budget allows any patch size', () => {
    const { sizes } = at(own * 100);
    expect(sizes[0]).toMatchObject({ size: { isSource: true }, bytesPerPatch: 'any' });
    expect(patchSizeFor(config, { bytes: 1024, budget: costOf(9, 1) })).toBeCloseTo(1, 9);
  });
});

describe('the largest size for a patch size', () => {
  it('fits the budget, and with one head more it does not', () => {
    const { patches } = at(null, [1, 3.5, 4.5, 6, 8, 20]);
    for (const { bytesPerPatch, largest } of patches) {
      expect(costOf(largest!.heads, bytesPerPatch)).toBeLessThanOrEqual(own * (1 + 1e-9));
      expect(costOf(largest!.heads + 1, bytesPerPatch)).toBeGreaterThan(own);
    }
    const heads = patches.map(({ largest }) => largest!.heads);
    expect(heads).toEqual([...heads].sort((a, b) => a - b));
  });
});
