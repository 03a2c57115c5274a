/**
 * @module Which channels of a byte's state hold what after the closed-form initialisation: content (the embedding of the token that seems to end
 * here), spare channels for the n-gram tables that predict the next byte, the byte's offset in its patch, and a constant.
 *
 * The constant makes the norms of all states nearly equal, so that the RMSNorm before cross-attention is nearly a fixed factor. The offset lets
 * cross-attention, which has no positional encoding (docs/blt-format.md 1.4), find the last byte of a patch.
 */
import { type BltConfig, localChannels } from '../../../blt/index.js';

export interface Layout {
  /** The number of channels: the local width. */
  readonly width: number;
  /** The number of content channels, which come first. */
  readonly content: number;
  /** The number of spare channels, between the content and `count`. */
  readonly spare: number;
  /** The index of the channel that counts bytes since the patch began. */
  readonly count: number;
  /** The index of the constant channel. */
  readonly constant: number;
  /** The root mean square of a state. */
  readonly scale: number;
}

/** At a smaller scale RMSNorm's epsilon of 1e-5 would matter. */
const MIN_SCALE = 1 / 8;
/** The content's share of a state's squared norm. */
const CONTENT_SHARE = 0.25;
/** How much one byte adds to the count channel, relative to the norm of a state. */
const COUNT_UNIT = 0.025;
/** Counts are capped here: n-grams look back no further than their longest. */
export const LONGEST_COUNT = 12;

/** Cross-attention doubles its residual in each decoder layer (docs/blt-format.md 1.6), so states begin small and end near an RMS of 1. */
export function layoutOf(config: BltConfig): Layout {
  const { encoder, decoder } = config;
  const width = encoder.hiddenSize;
  const doublings = decoder.crossAttnAllLayers ? decoder.layers : 1;
  return {
    width,
    ...localChannels(config),
    count: width - 2,
    constant: width - 1,
    scale: Math.max(MIN_SCALE, 2 ** -doublings),
  };
}

/** The root mean square of the content channels, such that their squares add up to width x scale^2 x CONTENT_SHARE. */
export function contentRms({ width, content, scale }: Layout): number {
  return scale * Math.sqrt((CONTENT_SHARE * width) / content);
}

/** The value of the constant channel. */
export function constantOf({ width, scale }: Layout): number {
  return scale * Math.sqrt((1 - CONTENT_SHARE) * width);
}

/** How much one byte adds to the count channel. */
export function countUnit({ width, scale }: Layout): number {
  return COUNT_UNIT * scale * Math.sqrt(width);
}

/** Norm weights [width] that give content, count and constant a root mean square near 1 each. */
export function balancedNorm(layout: Layout): Float32Array {
  const { width, content, count, constant, scale } = layout;
  const weights = new Float32Array(width).fill(1);
  weights.fill(scale / contentRms(layout), 0, content);
  weights[count] = scale / (countUnit(layout) * (LONGEST_COUNT / 4));
  weights[constant] = scale / constantOf(layout);
  return weights;
}
