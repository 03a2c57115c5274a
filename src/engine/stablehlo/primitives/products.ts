/** @module Matrix products. */
import { ByteifyError } from '../../../errors.js';
import { DataType } from '../../data-type.js';
import { type Body, typeOf, type Value } from '../body.js';
import { tensorType } from '../types.js';
import { jointShape, range, type shapePrimitives } from './shapes.js';

/** Keeps float32 products at full precision on GPUs, whose default is 10 bits. */
const exactly = (dtype: number) => (dtype === DataType.float32 ? ', precision = [HIGHEST, HIGHEST]' : '');

export function productPrimitives(
  { emit }: Body,
  { broadcast }: Pick<ReturnType<typeof shapePrimitives>, 'broadcast'>,
) {
  /** Products of matrices, of batches of matrices, or of batches that are broadcast. */
  const dot = (a: Value, b: Value, transposeA: boolean, transposeB: boolean): Value => {
    if (a.shape.length < 2 || b.shape.length < 2) throw new ByteifyError('Matrices have at least two axes.');
    const batch = jointShape([a.shape.slice(0, -2), b.shape.slice(0, -2)]);
    const [x, y] = [a, b].map((value) => broadcast(value, [...batch, ...value.shape.slice(-2)])) as [Value, Value];
    const rank = batch.length + 2;
    const [rows, summedA] = transposeA ? [rank - 1, rank - 2] : [rank - 2, rank - 1];
    const [columns, summedB] = transposeB ? [rank - 2, rank - 1] : [rank - 1, rank - 2];
    if (x.shape[summedA] !== y.shape[summedB]) {
      throw new ByteifyError(`Matrices [${a.shape.join(', ')}] and [${b.shape.join(', ')}] cannot be multiplied.`);
    }
    const shape = [...batch, x.shape[rows]!, y.shape[columns]!];
    const axes = range(batch.length).join(', ');
    const batching = batch.length === 0 ? '' : `batching_dims = [${axes}] x [${axes}], `;
    const type = `(${typeOf(x)}, ${typeOf(y)}) -> ${tensorType(shape, x.dtype)}`;
    return emit(
      `stablehlo.dot_general ${x.id}, ${y.id}, ${batching}contracting_dims = [${summedA}] x [${summedB}]${exactly(x.dtype)} : ${type}`,
      shape,
      x.dtype,
    );
  };

  return { dot };
}
