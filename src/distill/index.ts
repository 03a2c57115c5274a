/** @module Distillation: what turns the source into targets. Loads TensorFlow when the engine is started. */
export { binaryCrossEntropySum } from './binary-cross-entropy.js';
export { type Boundary, boundaryLoss } from './boundary-loss.js';
export { type ChunkLossInputs, chunkLoss } from './chunk-loss.js';
export { embeddingLoss } from './embedding-loss.js';
export { byteLogProbabilities, sourceLogProbabilities } from './log-probabilities.js';
export { prefixKl } from './prefix-kl.js';
export { prefixMarginals } from './prefix-marginals.js';
