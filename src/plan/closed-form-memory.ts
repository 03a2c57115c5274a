/** @module Memory of a closed form's sums, in bytes. */
import { type BltConfig, type LeastSquares, leastSquaresOf } from '../blt/index.js';

const FLOAT_BYTES = 4;
/** Sums over a whole text are kept in float64. */
const SUM_BYTES = 8;

/**
 * Of each least-squares problem, features times features and features times targets; of the hash tables, one table's sums at a time, with
 * a count a row. The tables themselves are weights.
 */
export function closedFormMemory(config: BltConfig): number {
  const { patches, head } = leastSquaresOf(config);
  const problem = ({ features, targets }: LeastSquares) => SUM_BYTES * features * (features + targets);
  return problem(patches) + problem(head) + FLOAT_BYTES * config.hash.vocab * (config.encoder.hiddenSize + 1);
}
