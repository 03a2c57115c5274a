/** @module Where the new positions of a transformer stand in its cache, and what each may see: bookkeeping on the host, without TensorFlow. */
import type { TransformerConfig } from '../../blt/index.js';
import { MASKED_SCORE } from '../masks.js';
import { type RopeAngles, ropeAngles } from '../rope-angles.js';

/** Of `count` new positions a lane. All arrays are row-major over [lanes, count] first. */
export interface Places extends RopeAngles {
  /** Rows of a cache [lanes * kvHeads * capacity, d] that the new keys go to: [lanes, kvHeads, count]. */
  readonly rows: Int32Array;
  /** Rows of the cache that these lanes keep: [lanes, kvHeads, capacity]. None stands for all lanes. */
  readonly kept: Int32Array;
  /** 0 where a key of the cache is visible and -1e9 elsewhere: [lanes, count, capacity]. */
  readonly mask: Float32Array;
}

/**
 * Positions a cache must hold so that `count` new ones, some of which may turn out to be padding, never overwrite what a later query sees.
 * @param window keys a query sees, itself included.
 */
export const rollingCapacity = (window: number, count: number): number => window + count;

/** Rows of a cache in which some lanes keep the first `filled` slots: [lanes, kvHeads, filled]. */
export function keptRows(
  { kvHeads }: TransformerConfig,
  lanes: readonly number[],
  capacity: number,
  filled = capacity,
): Int32Array {
  const heads = lanes.flatMap((lane) => Array.from({ length: kvHeads }, (_, head) => lane * kvHeads + head));
  return Int32Array.from(
    { length: heads.length * filled },
    (_, at) => heads[Math.floor(at / filled)]! * capacity + (at % filled),
  );
}

/** Where a lane goes on. */
export interface LaneStart {
  readonly lane: number;
  /** The first new position. */
  readonly start: number;
}

/**
 * A cache is a ring: position p lies at p modulo the capacity. What lies at a slot is the latest position there that has been written, so what was
 * written for padding, or before a lane began anew, is hidden until it is overwritten.
 */
export function placesOf(
  config: TransformerConfig,
  starts: readonly LaneStart[],
  count: number,
  capacity: number,
): Omit<Places, 'kept'> {
  const { hiddenSize, heads, kvHeads, rope } = config;
  const lanes = starts.length;
  const window = config.window ?? Number.POSITIVE_INFINITY;
  const positions = Int32Array.from(
    { length: lanes * count },
    (_, at) => starts[Math.floor(at / count)]!.start + (at % count),
  );
  const rows = new Int32Array(lanes * kvHeads * count);
  const mask = new Float32Array(lanes * count * capacity).fill(MASKED_SCORE);
  starts.forEach(({ lane, start }, row) => {
    const last = start + count - 1;
    for (let i = 0; i < count; i++) {
      const at = row * count + i;
      const position = positions[at]!;
      for (let head = 0; head < kvHeads; head++)
        rows[(row * kvHeads + head) * count + i] = (lane * kvHeads + head) * capacity + (position % capacity);
      const oldest = Math.max(0, position - window + 1, last - capacity + 1);
      for (let seen = oldest; seen <= position; seen++) mask[at * capacity + (seen % capacity)] = 0;
    }
  });
  return { ...ropeAngles(rope, positions, hiddenSize / heads), rows, mask };
}
