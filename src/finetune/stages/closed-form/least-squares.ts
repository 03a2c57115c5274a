/** @module Linear least squares from sums of products, which are all that is kept of a stream of features. No TensorFlow. */
import { CholeskyDecomposition, EigenvalueDecomposition, Matrix } from 'ml-matrix';
import { ByteifyError } from '../../../errors.js';

/** Sums over rows: features x features [n, n] and features x targets [n, t], row-major. */
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
 * Adds the products of some more rows. A matrix product may sum (i, j) and (j, i) in different orders, so that they differ by rounding:
 * both get their mean, and `gram` stays symmetric to the last bit.
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
 * The weights W [t, n] that make W f closest to the targets: W = ((G + ridge mean(diag G) I)^-1 C)^T.
 * @param ridge of the features' mean square.
 * @throws ByteifyError when features or targets are not finite numbers, or features depend on each other so much that the ridge is lost in
 * rounding.
 */
export function ridge({ gram, cross, features, targets }: Products, ridge: number): Float32Array {
  const g = matrix(gram, features, features);
  const added = (ridge * g.trace()) / features;
  if (!Number.isFinite(added) || added <= 0)
    throw new ByteifyError('The features of a least-squares fit are not finite numbers, or all zero.');
  for (let i = 0; i < features; i++) g.set(i, i, g.get(i, i) + added);
  const factors = new CholeskyDecomposition(g);
  // Products in float32 err by about 1e-7 of the diagonal: with a smaller ridge an eigenvalue of zero may come out negative.
  if (!factors.isPositiveDefinite())
    throw new ByteifyError(
      `The features of a least-squares fit depend on each other, and a ridge of ${ridge} is lost in rounding.`,
      { hint: 'Give the closed-form stage a larger ridge: 1e-4 is the default.' },
    );
  const solution = factors.solve(matrix(cross, features, targets));
  const weights = Float32Array.from(solution.transpose().to1DArray());
  if (!weights.every(Number.isFinite))
    throw new ByteifyError('The targets of a least-squares fit are not finite numbers.');
  return weights;
}

/**
 * The directions of largest variance: eigenvectors of a matrix [n, n], symmetric but for rounding, with the largest eigenvalues.
 * @returns [count, n], largest first.
 */
export function principalDirections(covariance: ArrayLike<number>, n: number, count: number): Float32Array {
  const { eigenvectorMatrix } = new EigenvalueDecomposition(matrix(symmetricPart(covariance, n), n, n), {
    assumeSymmetric: true,
  });
  const directions = new Float32Array(count * n);
  // Eigenvalues come in ascending order.
  for (let i = 0; i < count; i++)
    for (let j = 0; j < n; j++) directions[i * n + j] = eigenvectorMatrix.get(j, n - 1 - i);
  return directions;
}
