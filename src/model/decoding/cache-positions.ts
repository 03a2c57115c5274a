/** @module Where the new positions of a transformer lie in its KV cache, and what each may see: bookkeeping on the host, without TensorFlow. */
import type { TransformerConfig } from '../../blt/index.js';
import { MASKED_SCORE } from '../masks.js';
import { type RopeAngles, ropeAngles } from '../rope-angles.js';

/** Of `count` new positions per slot. All arrays are row-major over [slots, count] first. */
export interface CachePositions extends RopeAngles {
  /** Rows of a cache [slots * kvHeads * capacity, d] that the new keys go to: [slots, kvHeads, count]. */
  readonly rows: Int32Array;
  /** Rows of the cache that hold what these slots keep: [slots, kvHeads, capacity]. None stands for all slots. */
  readonly kept: Int32Array;
  /** 0 where a key of the cache is visible and -1e9 elsewhere: [slots, count, capacity]. */
  readonly mask: Float32Array;
}

/**
 * Positions a cache must hold so that `count` new ones, some of which may turn out to be padding, never overwrite what a later query sees.
 * @param window keys a query sees, itself included.
 */
export const rollingCapacity = (window: number, count: number): number => window + count;

/** Rows of a cache that hold the first `filled` positions of some slots: [slots, kvHeads, filled]. */
export function keptRows(
  { kvHeads }: TransformerConfig,
  slots: readonly number[],
  capacity: number,
  filled = capacity,
): Int32Array {
  const heads = slots.flatMap((slot) => Array.from({ length: kvHeads }, (_, head) => slot * kvHeads + head));
  return Int32Array.from(
    { length: heads.length * filled },
    (_, at) => heads[Math.floor(at / filled)]! * capacity + (at % filled),
  );
}

/** Where a slot's sequence continues. */
export interface SlotStart {
  readonly slot: number;
  /** The first new position. */
  readonly start: number;
}

/**
 * A cache is a ring buffer: position p lies at p modulo the capacity. A place in it holds the latest position that was written there, so what was
 * written for padding, or for the slot's sequence before this one, stays hidden until it is overwritten.
 */
export function cachePositions(
  config: TransformerConfig,
  starts: readonly SlotStart[],
  count: number,
  capacity: number,
): Omit<CachePositions, 'kept'> {
  const { hiddenSize, heads, kvHeads, rope } = config;
  const slots = starts.length;
  const window = config.window ?? Number.POSITIVE_INFINITY;
  const positions = Int32Array.from(
    { length: slots * count },
    (_, at) => starts[Math.floor(at / count)]!.start + (at % count),
  );
  const rows = new Int32Array(slots * kvHeads * count);
  const mask = new Float32Array(slots * count * capacity).fill(MASKED_SCORE);
  starts.forEach(({ slot, start }, row) => {
    const last = start + count - 1;
    for (let i = 0; i < count; i++) {
      const at = row * count + i;
      const position = positions[at]!;
      for (let head = 0; head < kvHeads; head++)
        rows[(row * kvHeads + head) * count + i] = (slot * kvHeads + head) * capacity + (position % capacity);
      const oldest = Math.max(0, position - window + 1, last - capacity + 1);
      for (let seen = oldest; seen <= position; seen++) mask[at * capacity + (seen % capacity)] = 0;
    }
  });
  return { ...ropeAngles(rope, positions, hiddenSize / heads), rows, mask };
}
