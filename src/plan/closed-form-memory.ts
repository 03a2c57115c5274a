/** @module The memory that the sums of a closed-form stage take, in bytes. */
import { type BltConfig, type LeastSquares, leastSquaresOf } from '../blt/index.js';

const FLOAT_BYTES = 4;
/** Sums over a whole text are kept in float64. */
const SUM_BYTES = 8;

/**
 * Each least-squares problem takes features times features and features times targets. The hash tables take the sums of one table at a time,
 * with one count per row; the tables themselves are weights.
 */
export function closedFormMemory(config: BltConfig): number {
  const { patches, head } = leastSquaresOf(config);
  const problem = ({ features, targets }: LeastSquares) => SUM_BYTES * features * (features + targets);
  return problem(patches) + problem(head) + FLOAT_BYTES * config.hash.vocab * (config.encoder.hiddenSize + 1);
}
