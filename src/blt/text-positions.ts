/** @module How long a text a model is made for. */
import type { BltConfig } from './config.js';

/**
 * Positions of a text, BOS included: what the encoder and the decoder are made for (blt-format 1.8: 24,576 in the released models). The config's own
 * `maxPositions` counts patches.
 */
export const textPositions = ({ encoder, decoder }: BltConfig): number =>
  Math.min(encoder.maxPositions, decoder.maxPositions);
