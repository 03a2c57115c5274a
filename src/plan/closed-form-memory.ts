/** @module The memory that a closed-form stage takes besides weights and activations, in bytes. */
import { type BltConfig, type ClosedFormWork, leastSquaresOf, localChannels, VOCAB_SIZE } from '../blt/index.js';

const FLOAT_BYTES = 4;
const HALF_BYTES = 2;
/** Sums over a whole text are kept in float64. */
const SUM_BYTES = 8;
const BYTE_VALUES = 256;
/** A value and two moments. */
const TRAINED = 3;

/**
 * The larger of what its two phases take. The encoder's tables have a value and two moments for each content channel, beside the tables
 * themselves, which are weights. The decoder's fit keeps the values of each patch and the source's expectation of each next byte.
 */
export function closedFormMemory(
  config: BltConfig,
  { solveBytes }: Pick<ClosedFormWork, 'solveBytes'>,
  bytesPerPatch: number,
): number {
  const { features, targets } = leastSquaresOf(config);
  const sums = SUM_BYTES * features * (features + targets);
  const { hash, decoder } = config;
  const rows = VOCAB_SIZE + hash.functions * hash.sizes.length * hash.vocab;
  const tables = FLOAT_BYTES * TRAINED * rows * localChannels(config).content;
  const values = (HALF_BYTES * decoder.hiddenSize) / bytesPerPatch;
  return sums + Math.max(tables, solveBytes * (HALF_BYTES * BYTE_VALUES + values));
}
