/**
 * @module How a byte's state is laid out by the closed-form start: channels of content (the embedding of the token that seems to end here),
 * spare ones that the decoder fills with what the source expects next, how far into its patch the byte is, and a constant.
 *
 * The constant makes the norm of a state nearly the same everywhere, so that the RMS norm before cross-attention is nearly a plain factor.
 * The count lets cross-attention find a patch's last byte, since it has no positions of its own (blt-format 1.4).
 */
import type { BltConfig } from '../../../blt/index.js';

export interface Layout {
  /** Channels of a state: the local width. */
  readonly width: number;
  /** The first channels: content. */
  readonly content: number;
  /** Those after them, up to `count`. */
  readonly spare: number;
  /** The channel that counts bytes since the patch began. */
  readonly count: number;
  /** The channel that is the same everywhere. */
  readonly constant: number;
  /** Root mean square of a state. */
  readonly scale: number;
}

/** Fewer spare channels than this are too few for what comes next. */
const LEAST_SPARE = 16;
/** Of the width, where the source is as wide as the local models. */
const SPARE_SHARE = 1 / 8;
/** Below it RMSNorm's epsilon of 1e-5 would be felt. */
const LEAST_SCALE = 1 / 8;
/** Of a state's squared norm. */
const CONTENT_SHARE = 0.25;
/** Of the norm, a byte's count. */
const COUNT_UNIT = 0.025;
/** Counts end here: n-grams see no further back than their longest. */
export const LONGEST_COUNT = 12;

/** Cross-attention doubles the residual in each decoder layer (blt-format 1.6), so states begin small enough to end near 1. */
export function layoutOf({ encoder, decoder, global }: BltConfig): Layout {
  const width = encoder.hiddenSize;
  const left = width - 2 - global.hiddenSize;
  const spare = left >= LEAST_SPARE ? left : Math.floor(width * SPARE_SHARE);
  const doublings = decoder.crossAttnAllLayers ? decoder.layers : 1;
  return {
    width,
    content: Math.min(global.hiddenSize, width - 2 - spare),
    spare: width - 2 - Math.min(global.hiddenSize, width - 2 - spare),
    count: width - 2,
    constant: width - 1,
    scale: Math.max(LEAST_SCALE, 2 ** -doublings),
  };
}

/** Root mean square that content channels have together with the scale: sum over them = width x scale^2 x share. */
export function contentRms({ width, content, scale }: Layout): number {
  return scale * Math.sqrt((CONTENT_SHARE * width) / content);
}

/** What the constant channel holds. */
export function constantOf({ width, scale }: Layout): number {
  return scale * Math.sqrt((1 - CONTENT_SHARE) * width);
}

/** What one byte of the count adds. */
export function countUnit({ width, scale }: Layout): number {
  return COUNT_UNIT * scale * Math.sqrt(width);
}

/** Weights of a norm that gives every group of channels a root mean square near 1 [width]. */
export function evenNorm(layout: Layout): Float32Array {
  const { width, content, count, constant, scale } = layout;
  const weights = new Float32Array(width).fill(1);
  weights.fill(scale / contentRms(layout), 0, content);
  weights[count] = scale / (countUnit(layout) * (LONGEST_COUNT / 4));
  weights[constant] = scale / constantOf(layout);
  return weights;
}
