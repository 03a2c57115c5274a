/** @module Linear least squares on accumulated matrix products, so that features need not be kept. No TensorFlow. */
import { CholeskyDecomposition, EigenvalueDecomposition, Matrix } from 'ml-matrix';
import { ByteifyError } from '../../../errors.js';

/** Sums over rows of features x features [n, n] and features x targets [n, t], row-major. */
export interface Products {
  readonly gram: Float64Array;
  readonly cross: Float64Array;
  readonly features: number;
  readonly targets: number;
}

export function emptyProducts(features: number, targets: number): Products {
  return {
    gram: new Float64Array(features * features),
    cross: new Float64Array(features * targets),
    features,
    targets,
  };
}

/**
 * Adds the products of more rows. A float32 matrix product may sum (i, j) and (j, i) in different orders, so that they differ by rounding.
 * Both are replaced by their mean, so `gram` stays exactly symmetric.
 */
export function addProducts(
  { gram, cross, features }: Products,
  more: { gram: ArrayLike<number>; cross: ArrayLike<number> },
): void {
  const added = symmetricPart(more.gram, features);
  for (let i = 0; i < gram.length; i++) gram[i]! += added[i]!;
  for (let i = 0; i < cross.length; i++) cross[i]! += more.cross[i]!;
}

/** The mean of a matrix [n, n] and its transpose. */
export function symmetricPart(values: ArrayLike<number>, n: number): Float64Array {
  const symmetric = new Float64Array(n * n);
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++)
      symmetric[i * n + j] = symmetric[j * n + i] = (values[i * n + j]! + values[j * n + i]!) / 2;
  return symmetric;
}

const matrix = (values: Float64Array, rows: number, columns: number): Matrix =>
  Matrix.from1DArray(rows, columns, values as unknown as number[]);

/**
 * Ridge regression: the weights W [t, n] that map features closest to the targets, W = ((G + ridge mean(diag G) I)^-1 C)^T.
 * @param ridge relative to the mean square of the features.
 * @throws ByteifyError when features or targets are not finite, or the features are so nearly dependent that the ridge is lost in rounding.
 */
export function ridge({ gram, cross, features, targets }: Products, ridge: number): Float32Array {
  const g = matrix(gram, features, features);
  const added = (ridge * g.trace()) / features;
  if (!Number.isFinite(added) || added <= 0)
    throw new ByteifyError('The features of a least-squares fit contain values that are not finite, or are all zero.');
  for (let i = 0; i < features; i++) g.set(i, i, g.get(i, i) + added);
  const factors = new CholeskyDecomposition(g);
  // float32 products have relative errors of about 1e-7: with a smaller ridge, an eigenvalue of zero may come out negative.
  if (!factors.isPositiveDefinite())
    throw new ByteifyError(
      `The features of a least-squares fit are linearly dependent, and a ridge of ${ridge} is lost in rounding.`,
      { hint: 'Set a larger ridge for the closed-form stage; the default is 1e-4.' },
    );
  const solution = factors.solve(matrix(cross, features, targets));
  const weights = Float32Array.from(solution.transpose().to1DArray());
  if (!weights.every(Number.isFinite))
    throw new ByteifyError('The targets of a least-squares fit contain values that are not finite.');
  return weights;
}

/** Eigenvectors of a symmetric matrix as columns, eigenvalues in ascending order. */
function eigenOf(covariance: ArrayLike<number>, n: number): EigenvalueDecomposition {
  return new EigenvalueDecomposition(matrix(symmetricPart(covariance, n), n, n), { assumeSymmetric: true });
}

/**
 * The directions of largest variance: the eigenvectors of a covariance matrix [n, n] with the largest eigenvalues. The matrix may be asymmetric
 * by rounding.
 * @returns [count, n], largest first.
 */
export function principalDirections(covariance: ArrayLike<number>, n: number, count: number): Float32Array {
  const { eigenvectorMatrix } = eigenOf(covariance, n);
  const directions = new Float32Array(count * n);
  for (let i = 0; i < count; i++)
    for (let j = 0; j < n; j++) directions[i * n + j] = eigenvectorMatrix.get(j, n - 1 - i);
  return directions;
}

/** Directions with less than this share of the mean variance are noise, and are not scaled up. */
const MIN_VARIANCE_SHARE = 1e-3;

/**
 * The principal directions, each divided by its deviation, so that what they read has variance 1 and no correlation.
 * @param covariance [n, n]. @returns [count, n], largest variance first; directions with hardly any variance are zero.
 */
export function whitening(covariance: ArrayLike<number>, n: number, count: number): Float32Array {
  const { eigenvectorMatrix, realEigenvalues } = eigenOf(covariance, n);
  const least = (MIN_VARIANCE_SHARE * realEigenvalues.reduce((sum, value) => sum + value, 0)) / n;
  const rows = new Float32Array(count * n);
  for (let i = 0; i < count; i++) {
    const variance = realEigenvalues[n - 1 - i]!;
    if (variance <= least) break;
    for (let j = 0; j < n; j++) rows[i * n + j] = eigenvectorMatrix.get(j, n - 1 - i) / Math.sqrt(variance);
  }
  return rows;
}
