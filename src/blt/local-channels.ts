/** @module How the closed-form initialisation divides the channels of a byte's state; src/finetune/stages/closed-form/layout.ts says what they hold. */
import type { BltConfig } from './config.js';

/** The fewest spare channels that are enough for the n-gram tables of the decoder. */
const MIN_SPARE = 16;
/** The share of the width that is spare if the local models are too narrow for `MIN_SPARE`. */
const SPARE_SHARE = 1 / 8;
/** A count and a constant. */
const FIXED = 2;

/** The numbers of channels for the embedding of a token, and for the n-gram tables of the decoder. */
export function localChannels({ encoder, global }: Pick<BltConfig, 'encoder' | 'global'>): {
  readonly content: number;
  readonly spare: number;
} {
  const width = encoder.hiddenSize;
  const left = width - FIXED - global.hiddenSize;
  const least = left >= MIN_SPARE ? left : Math.floor(width * SPARE_SHARE);
  const content = Math.min(global.hiddenSize, width - FIXED - least);
  return { content, spare: width - FIXED - content };
}
