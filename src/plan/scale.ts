/**
 * @module Patch size against model size at a fixed cost of inference: the BLT paper's scaling dimension (arXiv 2412.09871, section 5.3). Larger
 * patches run the latent global transformer less often, which frees operations for a larger one. The local models and the patcher, which run
 * at every byte, stay as they are.
 */
import { type BltConfig, forwardFlops, type TextShape, totalFlops } from '../blt/index.js';
import { withHeads } from './global-family.js';
import { parametersByPart } from './parameters.js';

/** Patch sizes that are looked up unless others are given, in bytes: the paper's 4.5, 6 and 8, and less than the first. */
export const PATCH_SIZES = [3.5, 4.5, 6, 8] as const;

/** The sizes that are listed are those between what these patch sizes allow, in bytes. */
const LISTED_PATCHES = { smallest: 2, largest: 16 } as const;
/** How many of them are listed, the source's aside. */
const LISTED_SIZES = 8;
/** Halvings after which an interval is as short as numbers can tell. */
const HALVINGS = 60;
/** Relative, for sums that are equal but for their rounding. */
const TOLERANCE = 1e-9;

/** A latent global transformer. */
export interface GlobalSize {
  readonly hiddenSize: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly intermediateSize: number;
  readonly parameters: number;
  /** Whether it has the source's own size. */
  readonly isSource: boolean;
}

/**
 * The mean patch size in bytes at which a model costs what the budget allows. `none`: it costs more at every patch size, because its local
 * models alone do. `any`: it costs less even with patches of one byte.
 */
export type AllowedPatch = number | 'none' | 'any';

export interface Scale {
  /** FLOPs of inference per byte of text: what one forward pass of patcher, local models and global transformer may cost. */
  readonly budgetFlopsPerByte: number;
  /** What runs at every byte, however large patches are: the lower bound of every model's cost. */
  readonly localFlopsPerByte: number;
  /** The recipe's own model: its patch size, and its cost in FLOPs per byte. */
  readonly own: { readonly bytesPerPatch: number; readonly flopsPerByte: number };
  /** Bytes of text that attention can look back on. */
  readonly textBytes: number;
  /** Global transformers, smallest first, each with the mean patch size in bytes that the budget requires. */
  readonly sizes: readonly { readonly size: GlobalSize; readonly bytesPerPatch: AllowedPatch }[];
  /** For each patch size in bytes the largest global transformer that the budget allows; null if it allows none. */
  readonly patches: readonly { readonly bytesPerPatch: number; readonly largest: GlobalSize | null }[];
}

export interface ScaleInputs {
  readonly config: BltConfig;
  /** The length of the text, and the patch size of the recipe's own model. */
  readonly text: TextShape;
  /** FLOPs per byte; null for what the recipe's own model costs. */
  readonly budget: number | null;
  /** Mean patch sizes in bytes for which the largest global transformer is looked up, each at least 1. */
  readonly patchSizes: readonly number[];
}

/** FLOPs per byte of one forward pass of all parts. */
export function inferenceFlops(config: BltConfig, text: TextShape): number {
  return Object.values(forwardFlops(config, text)).reduce((sum, flops) => sum + totalFlops(flops), 0);
}

/** The patch size at which a model costs the budget. @param shape.budget FLOPs per byte */
export function patchSizeFor(config: BltConfig, shape: { bytes: number; budget: number }): AllowedPatch {
  const { bytes, budget } = shape;
  const cost = (patchesPerByte: number) => inferenceFlops(config, { bytes, bytesPerPatch: 1 / patchesPerByte });
  if (cost(0) >= budget) return 'none';
  if (cost(1) < budget * (1 - TOLERANCE)) return 'any';
  // The cost grows with the number of patches.
  let [low, high] = [0, 1];
  for (let i = 0; i < HALVINGS; i++) {
    const middle = (low + high) / 2;
    if (cost(middle) > budget) high = middle;
    else low = middle;
  }
  return 2 / (low + high);
}

/** The largest number of heads with which a model costs at most the budget in FLOPs per byte; 0 if even one head costs more. */
function mostHeads(config: BltConfig, text: TextShape, budget: number): number {
  const fits = (heads: number) =>
    inferenceFlops({ ...config, global: withHeads(config.global, heads) }, text) <= budget * (1 + TOLERANCE);
  if (!fits(1)) return 0;
  let [low, high] = [1, 2];
  while (fits(high)) [low, high] = [high, 2 * high];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (fits(middle)) low = middle;
    else high = middle;
  }
  return low;
}

/** Numbers of heads from the first to the last in equal ratios, and the source's. */
function listedHeads(first: number, last: number, own: number): number[] {
  const ratio = (last / first) ** (1 / (LISTED_SIZES - 1));
  const between = Array.from({ length: LISTED_SIZES }, (_, i) => Math.round(first * ratio ** i));
  return [...new Set([...between, own])].sort((a, b) => a - b);
}

/** What a budget of inference allows: patch sizes for models of several sizes, and sizes for several patch sizes. */
export function scaleAt({ config, text, budget: given, patchSizes }: ScaleInputs): Scale {
  const { bytes } = text;
  const { global } = config;
  const ownFlops = inferenceFlops(config, text);
  const budget = given ?? ownFlops;
  const atHeads = (heads: number) => {
    const sized = { ...config, global: withHeads(global, heads) };
    const { hiddenSize, layers, kvHeads, intermediateSize } = sized.global;
    const { global: parameters } = parametersByPart(sized);
    const isSource = heads === global.heads;
    return { sized, size: { hiddenSize, layers, heads, kvHeads, intermediateSize, parameters, isSource } };
  };
  const most = (bytesPerPatch: number) => mostHeads(config, { bytes, bytesPerPatch }, budget);
  const [first, last] = [LISTED_PATCHES.smallest, LISTED_PATCHES.largest].map(most) as [number, number];
  const heads = last === 0 ? [global.heads] : listedHeads(Math.max(1, first), last, global.heads);
  return {
    budgetFlopsPerByte: budget,
    localFlopsPerByte: inferenceFlops(config, { bytes, bytesPerPatch: Number.POSITIVE_INFINITY }),
    own: { bytesPerPatch: text.bytesPerPatch, flopsPerByte: ownFlops },
    textBytes: bytes,
    sizes: heads
      .map(atHeads)
      .map(({ sized, size }) => ({ size, bytesPerPatch: patchSizeFor(sized, { bytes, budget }) })),
    patches: patchSizes.map((bytesPerPatch) => {
      const largest = most(bytesPerPatch);
      return { bytesPerPatch, largest: largest === 0 ? null : atHeads(largest).size };
    }),
  };
}
