/** @module The maximum length of a text for a model. */
import type { BltConfig } from './config.js';

/**
 * Positions of a text including BOS that the encoder and the decoder support (blt-format 1.8: 24,576 in the released models). The config's
 * own `maxPositions` counts patches.
 */
export const textPositions = ({ encoder, decoder }: BltConfig): number =>
  Math.min(encoder.maxPositions, decoder.maxPositions);
