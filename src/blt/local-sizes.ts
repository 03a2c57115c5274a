/** @module The sizes of what is built around a source, where a recipe does not state them. */
import type { BltConfig, RopeConfig, TransformerConfig } from './config.js';

/** What the rule looks at; a LlamaConfig has it all. */
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

/** Rows of a table by the width from which they hold, widest first. */
function byWidth<T>(rows: readonly (readonly [number, T])[], width: number): T {
  return (rows.find(([from]) => width >= from) ?? rows.at(-1)!)[1];
}

/** k by the source's width: the paper's table 10 has 2 at 2,048, 3 at 2,560 and 3,072, 4 at 4,096. */
const CROSS_ATTN_K = [
  [3585, 4],
  [2049, 3],
  [0, 2],
] as const;

/** Hash rows a table by the local width; the released models have 500,002 at 1,024 and 1,280. */
const HASH_VOCAB = [
  [1024, 500_002],
  [512, 100_002],
  [256, 20_002],
  [0, 5_002],
] as const;

type PatcherSize = Pick<LocalSizes['patcher'], 'hiddenSize' | 'layers' | 'heads'>;

/** The patcher by the source's width; the released one is 14 layers of 768 (about 100 M parameters). */
const PATCHER = [
  [1024, { hiddenSize: 768, layers: 14, heads: 12 }],
  [256, { hiddenSize: 256, layers: 4, heads: 4 }],
  [0, { hiddenSize: 128, layers: 2, heads: 4 }],
] as const;

const HEAD_DIMS = [64, 32, 16] as const;
const WINDOW = 512;

/** 8/3 of the width, rounded up as the released models are: to 256, or to 32 below a width of 512 (blt-format 1.2). */
function feedForwardWidth(width: number): number {
  const multiple = width < 512 ? 32 : 256;
  return Math.ceil(Math.floor((8 * width) / 3) / multiple) * multiple;
}

/** Sizes that somebody chose; the others follow from them. */
export interface StatedSizes {
  /** Whether the model begins in closed form, which wants other sizes. */
  readonly closedForm?: boolean;
  readonly crossAttnK?: number;
  readonly hiddenSize?: number;
  readonly patcherHiddenSize?: number;
}

/** What depends on how a model begins. */
interface Way {
  readonly crossAttnK: (sourceWidth: number) => number;
  readonly hiddenSize: (sourceWidth: number, k: number) => number;
  readonly hashSizes: readonly number[];
  /** Rows a table by the local width from which they hold. */
  readonly hashVocab: readonly (readonly [number, number])[];
  readonly mostDecoderLayers: number;
}

/** The paper's: k times the local width is the source's. */
const PAPER: Way = {
  crossAttnK: (sourceWidth) => byWidth(CROSS_ATTN_K, sourceWidth),
  hiddenSize: (sourceWidth, k) => Math.max(16, Math.round(sourceWidth / k / 16) * 16),
  hashSizes: [3, 4, 5, 6, 7, 8],
  hashVocab: HASH_VOCAB,
  mostDecoderLayers: 9,
};

/** Beside an embedding a state holds what comes next (16 channels or more), a count and a constant. */
const CHANNELS_BESIDE = 18;

/**
 * For a start in closed form: one row that holds an embedding and more, or, above a width of 1,024, where every byte would pay for it, two of half.
 * Never k times the local width = the source's: a projection must stand between.
 */
const CLOSED_FORM: Way = {
  crossAttnK: (sourceWidth) => (sourceWidth <= 1024 ? 1 : 2),
  hiddenSize: (sourceWidth, k) => Math.ceil((sourceWidth / k + CHANNELS_BESIDE) / 32) * 32,
  // From two on, so that the sums fitResidualBackoff from the single byte.
  hashSizes: [2, 3, 4, 5, 6, 7, 8],
  // All tables are fitted in memory, and states are wide.
  hashVocab: [
    [1024, 100_002],
    [256, 20_002],
    [0, 5_002],
  ],
  // Each doubles the residual.
  mostDecoderLayers: 4,
};

/**
 * The stated rule. With Hg the source's width: k by width; local width Hg / k, rounded to a multiple of 16 where it does not divide, and for a
 * closed form somewhat more; heads of the largest of 64, 32, 16 that divides; one encoder layer; a decoder layer for every fourth of the source.
 */
export function deriveLocalSizes(source: SourceSizes, stated: StatedSizes = {}): LocalSizes {
  const way = stated.closedForm ? CLOSED_FORM : PAPER;
  const k = stated.crossAttnK ?? way.crossAttnK(source.hiddenSize);
  const hiddenSize = stated.hiddenSize ?? way.hiddenSize(source.hiddenSize, k);
  const headDim = HEAD_DIMS.find((candidate) => hiddenSize % candidate === 0)!;
  const derived = byWidth<PatcherSize>(PATCHER, source.hiddenSize);
  const patcher = { ...derived, hiddenSize: stated.patcherHiddenSize ?? derived.hiddenSize };
  return {
    crossAttnK: k,
    hiddenSize,
    heads: hiddenSize / headDim,
    encoderLayers: 1,
    decoderLayers: Math.min(way.mostDecoderLayers, Math.max(2, Math.round(source.layers / 4))),
    intermediateSize: feedForwardWidth(hiddenSize),
    hashSizes: way.hashSizes,
    hashFunctions: 1,
    hashVocab: byWidth(way.hashVocab, hiddenSize),
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
/** Of the released patcher; a new one is calibrated before it is used (blt-format 1.8, 2.3). */
const RELEASED_THRESHOLD = 1.335442066192627;

/** A BLT around a source: its layers are the latent global transformer's, the rest has the given sizes. */
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
