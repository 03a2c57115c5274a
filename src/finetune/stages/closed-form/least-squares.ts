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

/** Adds the products of some more rows. */
export function addProducts(
  { gram, cross }: Products,
  more: { gram: ArrayLike<number>; cross: ArrayLike<number> },
): void {
  for (let i = 0; i < gram.length; i++) gram[i]! += more.gram[i]!;
  for (let i = 0; i < cross.length; i++) cross[i]! += more.cross[i]!;
}

const matrix = (values: Float64Array, rows: number, columns: number): Matrix =>
  Matrix.from1DArray(rows, columns, values as unknown as number[]);

/**
 * The weights W [t, n] that make W f closest to the targets: W = ((G + ridge mean(diag G) I)^-1 C)^T.
 * @param ridge of the features' mean square. @throws ByteifyError when the features are not finite numbers.
 */
export function ridge({ gram, cross, features, targets }: Products, ridge: number): Float32Array {
  const g = matrix(gram, features, features);
  const added = (ridge * g.trace()) / features;
  if (!Number.isFinite(added) || added <= 0)
    throw new ByteifyError('The features of a least-squares fit are not finite numbers, or all zero.');
  for (let i = 0; i < features; i++) g.set(i, i, g.get(i, i) + added);
  const solution = new CholeskyDecomposition(g).solve(matrix(cross, features, targets));
  return Float32Array.from(solution.transpose().to1DArray());
}

/**
 * The directions of largest variance: eigenvectors of a symmetric matrix [n, n] with the largest eigenvalues.
 * @returns [count, n], largest first.
 */
export function principalDirections(symmetric: Float64Array, n: number, count: number): Float32Array {
  const { eigenvectorMatrix } = new EigenvalueDecomposition(matrix(symmetric, n, n), { assumeSymmetric: true });
  const directions = new Float32Array(count * n);
  // Eigenvalues come in ascending order.
  for (let i = 0; i < count; i++)
    for (let j = 0; j < n; j++) directions[i * n + j] = eigenvectorMatrix.get(j, n - 1 - i);
  return directions;
}
