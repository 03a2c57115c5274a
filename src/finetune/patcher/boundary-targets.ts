/** @module The labels of the boundary loss as tensors. They depend on the token-end head, which is still learning (docs/distillation.md). */
import { BOS, BYTE_OFFSET } from '../../blt/index.js';
import { tf } from '../../engine/index.js';
import type { TensorBatch } from '../../model/index.js';
import type { Alignment } from '../../patching/index.js';
import { inRange } from './byte-range.js';

export interface BoundaryTargets {
  /** 1 where a patch should end after a position, else 0 [rows * length]. */
  readonly labels: tf.Tensor;
  /** 1 where the label is known, else 0 [rows * length]. */
  readonly weights: tf.Tensor;
}

/** The first bytes of UTF-8 characters of 4, 3, 2 and 1 bytes: from which value, and below which. */
const FIRST_BYTES = [
  [0xf0, 0x100],
  [0xe0, 0xf0],
  [0xc0, 0xe0],
  [0, 0x80],
] as const;

/** The values one position earlier; 0 at the first position of a row, which is BOS. @param x [rows * length] */
function before(x: tf.Tensor, rows: number): tf.Tensor {
  const grid = tf.reshape(x, [rows, -1]);
  const all = tf.slice(grid, [0, 0], [rows, grid.shape[1]! - 1]);
  return tf.reshape(tf.concat([tf.zeros([rows, 1]), all], 1), [-1]);
}

/** For the last byte of each character, the value at its first byte; for all other positions, 0. @param x [rows * length] */
function atLastBytes({ rows, ids }: TensorBatch<'ids'>, x: tf.Tensor): tf.Tensor {
  const bytes = tf.sub(ids, BYTE_OFFSET);
  let found: tf.Tensor = tf.zerosLike(x);
  for (const range of FIRST_BYTES) found = tf.add(before(found, rows), tf.mul(x, inRange(bytes, range)));
  return found;
}

/**
 * The same labels as `boundaryLabels` gives. A label that depends on the character before is known if it is known whether a token ends there,
 * or if there is no such character (after BOS).
 * @param endLogits [rows * length], of a token end at each position. The labels pass no gradient back to them.
 */
export function boundaryTargets(
  { labels: kind, endConfidence }: Alignment,
  batch: TensorBatch<'ids' | 'tokenEnds' | 'tokenEndWeights'>,
  endLogits: tf.Tensor,
): BoundaryTargets {
  const { rows, ids, tokenEndWeights: known } = batch;
  const completes = atLastBytes(batch, tf.onesLike(known));
  const ends = tf.mul(batch.tokenEnds, completes);
  if (kind === 'end') return { labels: ends, weights: known };
  const begins = tf.cast(tf.equal(ids, BOS), 'float32');
  /** Inside a character, the label is 0 whatever comes before it. */
  const isKnown = tf.add(atLastBytes(batch, before(tf.maximum(known, begins), rows)), tf.sub(1, completes));
  const weights = tf.mul(known, isKnown);
  const late = (open: tf.Tensor) => atLastBytes(batch, before(open, rows));
  if (kind === 'start') return { labels: late(ends), weights };
  const sure = tf.mul(completes, tf.cast(tf.greater(tf.sigmoid(endLogits), endConfidence), 'float32'));
  return { labels: tf.add(sure, tf.mul(late(tf.mul(ends, tf.sub(1, sure))), tf.sub(1, sure))), weights };
}
