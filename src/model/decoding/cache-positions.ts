/** @module Computes where new positions of a transformer are stored in its KV cache, and what each can attend to. Host code, without TensorFlow. */
import type { TransformerConfig } from '../../blt/index.js';
import { MASKED_SCORE } from '../masks.js';
import { type RopeAngles, ropeAngles } from '../rope-angles.js';

/** The inputs for `count` new positions per slot. All arrays are row-major, with [slots, count] first. */
export interface CachePositions extends RopeAngles {
  /** Rows of a cache [slots * kvHeads * capacity, d] into which the new keys are written: [slots, kvHeads, count]. */
  readonly rows: Int32Array;
  /** Rows of the cache that belong to these slots: [slots, kvHeads, capacity]. Empty means all slots. */
  readonly kept: Int32Array;
  /** 0 for a visible key of the cache and -1e9 for any other: [slots, count, capacity]. */
  readonly mask: Float32Array;
}

/**
 * The capacity, in positions, at which `count` new positions, some of which may be padding, never overwrite what a later query sees.
 * @param window number of keys that a query sees, including its own.
 */
export const rollingCapacity = (window: number, count: number): number => window + count;

/** Rows of a cache with the first `filled` positions of some slots: [slots, kvHeads, filled]. */
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

/** The position at which a slot's sequence continues. */
export interface SlotStart {
  readonly slot: number;
  /** The first new position. */
  readonly start: number;
}

/**
 * Computes the rows, mask and rotary angles of new positions. A cache is a ring buffer: position p is stored at p modulo the capacity, over an
 * earlier position. Entries written for padding, or for an earlier sequence of the slot, are masked until they are overwritten.
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
