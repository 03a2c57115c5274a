/** @module Derives the sizes of the parts built around a source, where a recipe does not state them. */
import type { BltConfig, RopeConfig, TransformerConfig } from './config.js';

/** The source's sizes that the rule uses; a LlamaConfig has them all. */
export interface SourceSizes {
  readonly hiddenSize: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly intermediateSize: number;
  readonly rmsNormEps: number;
  readonly rope: RopeConfig;
}

export interface LocalSizes {
  readonly crossAttnK: number;
  readonly hiddenSize: number;
  readonly heads: number;
  readonly encoderLayers: number;
  readonly decoderLayers: number;
  readonly intermediateSize: number;
  readonly hashSizes: readonly number[];
  readonly hashFunctions: number;
  readonly hashVocab: number;
  readonly window: number;
  readonly patcher: {
    readonly hiddenSize: number;
    readonly layers: number;
    readonly heads: number;
    readonly intermediateSize: number;
    readonly window: number;
  };
}

/** Looks up a table whose entries apply from a given width on, widest first. */
function byWidth<T>(rows: readonly (readonly [number, T])[], width: number): T {
  return (rows.find(([from]) => width >= from) ?? rows.at(-1)!)[1];
}

/** k by the source's width: in the paper's table 10 it is 2 at 2,048, 3 at 2,560 and 3,072, and 4 at 4,096. */
const CROSS_ATTN_K = [
  [3585, 4],
  [2049, 3],
  [0, 2],
] as const;

/** Rows per hash table, by the local width. The released models have 500,002 at 1,024 and 1,280. */
const HASH_VOCAB = [
  [1024, 500_002],
  [512, 100_002],
  [256, 20_002],
  [0, 5_002],
] as const;

type PatcherSize = Pick<LocalSizes['patcher'], 'hiddenSize' | 'layers' | 'heads'>;

/** The patcher by the source's width. The released one has 14 layers of 768 (about 100 M parameters). */
const PATCHER = [
  [1024, { hiddenSize: 768, layers: 14, heads: 12 }],
  [256, { hiddenSize: 256, layers: 4, heads: 4 }],
  [0, { hiddenSize: 128, layers: 2, heads: 4 }],
] as const;

const HEAD_DIMS = [64, 32, 16] as const;
const WINDOW = 512;

/** 8/3 of the width, rounded up as in the released models: to a multiple of 256, or of 32 below a width of 512 (blt-format 1.2). */
function feedForwardWidth(width: number): number {
  const multiple = width < 512 ? 32 : 256;
  return Math.ceil(Math.floor((8 * width) / 3) / multiple) * multiple;
}

/** Sizes that the recipe states; the others are derived. */
export interface StatedSizes {
  /** Whether the model is initialised in closed form, which needs other sizes. */
  readonly closedForm?: boolean;
  readonly crossAttnK?: number;
  readonly hiddenSize?: number;
  readonly patcherHiddenSize?: number;
}

/** The sizes that depend on how a model is initialised. */
interface InitialisationSizes {
  readonly crossAttnK: (sourceWidth: number) => number;
  readonly hiddenSize: (sourceWidth: number, k: number) => number;
  readonly hashSizes: readonly number[];
  /** Rows per table, by the local width from which they apply. */
  readonly hashVocab: readonly (readonly [number, number])[];
  readonly maxDecoderLayers: number;
}

/** As in the paper: k times the local width equals the source's width. */
const PAPER: InitialisationSizes = {
  crossAttnK: (sourceWidth) => byWidth(CROSS_ATTN_K, sourceWidth),
  hiddenSize: (sourceWidth, k) => Math.max(16, Math.round(sourceWidth / k / 16) * 16),
  hashSizes: [3, 4, 5, 6, 7, 8],
  hashVocab: HASH_VOCAB,
  maxDecoderLayers: 9,
};

/** Besides an embedding, a state contains a prediction of what comes next (16 channels or more), a count and a constant. */
const EXTRA_CHANNELS = 18;

/**
 * For an initialisation in closed form: k = 1 row that contains an embedding and more. Above a width of 1,024, where such wide rows would
 * be costly at every byte, k = 2 rows of half the size. k times the local width never equals the source's width, so that there is a
 * projection.
 */
const CLOSED_FORM: InitialisationSizes = {
  crossAttnK: (sourceWidth) => (sourceWidth <= 1024 ? 1 : 2),
  hiddenSize: (sourceWidth, k) => Math.ceil((sourceWidth / k + EXTRA_CHANNELS) / 32) * 32,
  // Sizes start at 2, so that the residual back-off sums continue from the single byte.
  hashSizes: [2, 3, 4, 5, 6, 7, 8],
  // All tables are fitted in memory, and states are wide.
  hashVocab: [
    [1024, 100_002],
    [256, 20_002],
    [0, 5_002],
  ],
  // Each layer doubles the residual.
  maxDecoderLayers: 4,
};

/**
 * Derives sizes by this rule. With Hg the source's width: k by width; local width Hg / k, rounded to a multiple of 16 if it does not
 * divide, and somewhat larger for a closed form; the largest head size of 64, 32, 16 that divides; one encoder layer; one decoder layer for
 * every four layers of the source.
 */
export function deriveLocalSizes(source: SourceSizes, stated: StatedSizes = {}): LocalSizes {
  const rule = stated.closedForm ? CLOSED_FORM : PAPER;
  const k = stated.crossAttnK ?? rule.crossAttnK(source.hiddenSize);
  const hiddenSize = stated.hiddenSize ?? rule.hiddenSize(source.hiddenSize, k);
  const headDim = HEAD_DIMS.find((candidate) => hiddenSize % candidate === 0)!;
  const derived = byWidth<PatcherSize>(PATCHER, source.hiddenSize);
  const patcher = { ...derived, hiddenSize: stated.patcherHiddenSize ?? derived.hiddenSize };
  return {
    crossAttnK: k,
    hiddenSize,
    heads: hiddenSize / headDim,
    encoderLayers: 1,
    decoderLayers: Math.min(rule.maxDecoderLayers, Math.max(2, Math.round(source.layers / 4))),
    intermediateSize: feedForwardWidth(hiddenSize),
    hashSizes: rule.hashSizes,
    hashFunctions: 1,
    hashVocab: byWidth(rule.hashVocab, hiddenSize),
    window: WINDOW,
    patcher: { ...patcher, intermediateSize: feedForwardWidth(patcher.hiddenSize), window: WINDOW },
  };
}

const EPSILON = 1e-5;
const LOCAL_THETA = 500_000;
const PATCHER_THETA = 10_000;
const BYTE_POSITIONS = 24_576;
const PATCH_POSITIONS = 4_096;
const PATCHER_POSITIONS = 8_192;
/** The threshold of the released patcher. A new one is calibrated before it is used (blt-format 1.8, 2.3). */
const RELEASED_THRESHOLD = 1.335442066192627;

/** The config of a BLT around a source: its layers become the latent global transformer's, the other parts have the given sizes. */
export function bltConfigFor(source: SourceSizes, sizes: LocalSizes): BltConfig {
  const plain = (theta: number): RopeConfig => ({ type: 'default', theta });
  const local = (layers: number): TransformerConfig => ({
    hiddenSize: sizes.hiddenSize,
    layers,
    heads: sizes.heads,
    kvHeads: sizes.heads,
    intermediateSize: sizes.intermediateSize,
    rmsNormEps: EPSILON,
    rope: plain(LOCAL_THETA),
    maxPositions: BYTE_POSITIONS,
    window: sizes.window,
  });
  const { hiddenSize, layers, heads, kvHeads, intermediateSize, rmsNormEps, rope } = source;
  return {
    vocabSize: 260,
    crossAttnK: sizes.crossAttnK,
    hash: { sizes: sizes.hashSizes, functions: sizes.hashFunctions, vocab: sizes.hashVocab },
    encoder: local(sizes.encoderLayers),
    decoder: { ...local(sizes.decoderLayers), crossAttnAllLayers: true },
    global: {
      hiddenSize,
      layers,
      heads,
      kvHeads,
      intermediateSize,
      rmsNormEps,
      rope,
      maxPositions: PATCH_POSITIONS,
      window: null,
    },
    patcher: {
      ...sizes.patcher,
      kvHeads: sizes.patcher.heads,
      rmsNormEps: EPSILON,
      rope: plain(PATCHER_THETA),
      maxPositions: PATCHER_POSITIONS,
    },
    patching: { threshold: RELEASED_THRESHOLD, maxPatchLength: null },
    maxPositions: PATCH_POSITIONS,
  };
}
