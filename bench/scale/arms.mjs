// The arms of bench:scale: global transformers of several sizes, each with the patch size at which the model costs the same per byte.
import { bltConfigFor, forwardFlops, totalFlops } from '../../dist/blt/index.js';
import { withHeads } from '../../dist/plan/global-family.js';
import { parametersByPart } from '../../dist/plan/parameters.js';
import { inferenceFlops, patchSizeFor } from '../../dist/plan/scale.js';

/** Positions of a row, in training and where costs are counted. */
export const ROW_BYTES = 512;
/** The patch size of the smallest model; those of the others follow from its cost. */
const SMALLEST_PATCH_BYTES = 3;
/** Heads of each model's global transformer, smallest first. Its width and layers grow with them. */
const HEADS = [5, 6, 7];

const SMALLEST = {
  hiddenSize: 160,
  layers: 5,
  heads: 5,
  kvHeads: 5,
  intermediateSize: 432,
  rmsNormEps: 1e-5,
  rope: /** @type {const} */ ({ type: 'default', theta: 10_000 }),
};

/** What all models share. It is small, so that most of the cost is the global transformer's, as in models of a useful size. */
const LOCAL = {
  // Four rows of 64 are wider than every global transformer, so that a patch's rows limit none more than another.
  crossAttnK: 4,
  hiddenSize: 64,
  heads: 4,
  encoderLayers: 1,
  decoderLayers: 2,
  intermediateSize: 128,
  hashSizes: [3, 4, 5, 6, 7, 8],
  hashFunctions: 1,
  hashVocab: 5002,
  // A quarter of a row: only the global transformer sees the rest.
  window: 128,
  patcher: { hiddenSize: 64, layers: 1, heads: 4, intermediateSize: 128, window: 128 },
};

/** FLOPs of inference per byte: of the whole model, and the global transformer's share of it. */
export function costOf(config, bytesPerPatch) {
  const text = { bytes: ROW_BYTES, bytesPerPatch };
  const flopsPerByte = inferenceFlops(config, text);
  return { flopsPerByte, globalShare: totalFlops(forwardFlops(config, text).global) / flopsPerByte };
}

/**
 * The models at equal cost, smallest first, and as a control the smallest one with the patches of the largest, which costs less.
 * @returns {{ arm: string, config: any, bytesPerPatch: number, atBudget: boolean }[]}
 */
export function armsOf() {
  const smallest = bltConfigFor(SMALLEST, LOCAL);
  const budget = costOf(smallest, SMALLEST_PATCH_BYTES).flopsPerByte;
  const equal = HEADS.map((heads) => {
    const config = { ...smallest, global: withHeads(smallest.global, heads) };
    // More decimals than a threshold reaches.
    const bytesPerPatch = Number(Number(patchSizeFor(config, { bytes: ROW_BYTES, budget })).toFixed(4));
    return { arm: nameOf(config, bytesPerPatch), config, bytesPerPatch, atBudget: true };
  });
  const { bytesPerPatch } = equal.at(-1);
  return [...equal, { arm: nameOf(smallest, bytesPerPatch), config: smallest, bytesPerPatch, atBudget: false }];
}

const nameOf = ({ global }, bytesPerPatch) => `${global.hiddenSize}x${global.layers}-${bytesPerPatch.toFixed(1)}`;

/** Parameters of the global transformer, and of the whole model without its patcher. */
export function parametersOf(config) {
  const { patcher, ...trained } = parametersByPart(config);
  return { global: trained.global, trained: Object.values(trained).reduce((sum, count) => sum + count, 0) };
}

/** By how much the dearest of some costs exceeds the cheapest. @param {number[]} costs */
export const spreadOf = (costs) => Math.max(...costs) / Math.min(...costs) - 1;
