/** @module The memory that a closed-form stage takes besides weights and activations, in bytes. */
import {
  type BltConfig,
  type ClosedFormWork,
  hashTables,
  leastSquaresOf,
  localChannels,
  VOCAB_SIZE,
} from '../blt/index.js';

const FLOAT_BYTES = 4;
const HALF_BYTES = 2;
/** Sums over a whole text are kept in float64. */
const SUM_BYTES = 8;
const BYTE_VALUES = 256;
/** A value and two moments. */
const TRAINED = 3;

/**
 * The tables are weights, and are kept once more as the fits' results. An encoder that is fitted by steps has a value and two moments for each of
 * their content channels; the decoder's fit keeps the values of each patch and the source's expectation of each next byte. The n-gram model takes
 * less than the weights that are loaded after it.
 */
export function closedFormMemory(
  config: BltConfig,
  { solveBytes, encoder }: Pick<ClosedFormWork, 'solveBytes' | 'encoder'>,
  bytesPerPatch: number,
): number {
  const { features, targets } = leastSquaresOf(config);
  const sums = SUM_BYTES * features * (features + targets);
  const { hash, decoder } = config;
  const rows = FLOAT_BYTES * (VOCAB_SIZE + hashTables(hash) * hash.vocab);
  const steps = encoder === 'back-off' ? 0 : TRAINED * rows * localChannels(config).content;
  const values = (HALF_BYTES * decoder.hiddenSize) / bytesPerPatch;
  return sums + rows * config.encoder.hiddenSize + Math.max(steps, solveBytes * (HALF_BYTES * BYTE_VALUES + values));
}
