/**
 * @module Computes where new positions of a transformer are stored in its KV cache, and what each can attend to. Host code, without TensorFlow.
 *
 * A cache is a ring buffer: position p is stored at p modulo the capacity, over an earlier position. New positions read it in one of two ways.
 * Whole: every query scores every entry, and a mask hides what it cannot see, also what padding or an earlier sequence of the slot has written.
 * In order: the window before the first new position is gathered in the order of positions, and the new keys are appended, so that blocks of
 * queries score only the keys near them. The second is faster where entries have to be gathered in any case, or where many queries are read.
 */
import type { TransformerConfig } from '../../blt/index.js';
import { MASKED_SCORE } from '../masks.js';
import { type RopeAngles, ropeAngles } from '../rope-angles.js';

/** How the keys and values of a cache are read. */
export interface CacheReading {
  /** Rows of a cache [slots * kvHeads * capacity, d] to gather: [slots, kvHeads, capacity] whole, [slots, kvHeads, window - 1] in order. Empty: all. */
  readonly kept: Int32Array;
  /** 0 for a visible key and -1e9 for any other: [slots, count, capacity] whole, [slots, window - 1], for all queries alike, in order. */
  readonly mask: Float32Array;
}

/** The inputs for `count` new positions per slot. All arrays are row-major, with [slots, count] first. */
export interface CachePositions extends RopeAngles, CacheReading {
  /** Rows of a cache [slots * kvHeads * capacity, d] into which the new keys are written: [slots, kvHeads, count]. */
  readonly rows: Int32Array;
}

/** The step that reads a cache: new positions per slot, its slots, and those of the cache. */
export interface CacheStep {
  readonly count: number;
  readonly slots: number;
  readonly allSlots: number;
}

/** Up to this many new positions, reading a whole ring buffer costs less than gathering its window. */
const FEW_POSITIONS = 64;

/** Whether a step reads the cache in order. Without a window, a cache has no entries that a query does not see. */
export const readsInOrder = ({ window }: TransformerConfig, { count, slots, allSlots }: CacheStep): boolean =>
  window !== null && (slots < allSlots || count > FEW_POSITIONS);

/**
 * The capacity, in positions, at which `count` new positions, some of which may be padding, never overwrite what a later query sees.
 * @param window number of keys that a query sees, including its own.
 */
export const rollingCapacity = (window: number, count: number): number => window + count;

/** The position at which a slot's sequence continues. */
export interface SlotStart {
  readonly slot: number;
  /** The first new position. */
  readonly start: number;
}

/** Rows [slots, kvHeads, positions] of a cache for positions of each slot. Positions before 0 are given another row, which a mask must hide. */
export function cacheRows(
  { kvHeads }: TransformerConfig,
  capacity: number,
  slots: readonly (readonly [slot: number, positions: readonly number[]])[],
): Int32Array {
  const heads = Array.from({ length: kvHeads }, (_, head) => head);
  return Int32Array.from(
    slots.flatMap(([slot, positions]) =>
      heads.flatMap((head) =>
        positions.map((position) => (slot * kvHeads + head) * capacity + (Math.max(0, position) % capacity)),
      ),
    ),
  );
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

/** All entries of the cache, masked for each query. */
function wholeReading(
  config: TransformerConfig,
  starts: readonly SlotStart[],
  { count, allSlots }: CacheStep,
  capacity: number,
): CacheReading {
  const window = config.window ?? Number.POSITIVE_INFINITY;
  const mask = new Float32Array(starts.length * count * capacity).fill(MASKED_SCORE);
  starts.forEach(({ start }, row) => {
    const last = start + count - 1;
    for (let i = 0; i < count; i++) {
      const position = start + i;
      const at = (row * count + i) * capacity;
      const oldest = Math.max(0, position - window + 1, last - capacity + 1);
      for (let seen = oldest; seen <= position; seen++) mask[at + (seen % capacity)] = 0;
    }
  });
  const some = starts.length === allSlots ? [] : starts.map(({ slot }) => [slot, range(0, capacity)] as const);
  return { mask, kept: cacheRows(config, capacity, some) };
}

/** The window before each slot's first new position, in order; what precedes the sequence is masked. */
function orderedReading(config: TransformerConfig, starts: readonly SlotStart[], capacity: number): CacheReading {
  const before = config.window! - 1;
  const positions = starts.map(({ slot, start }) => [slot, range(start - before, start)] as const);
  return {
    kept: cacheRows(config, capacity, positions),
    mask: Float32Array.from(positions.flatMap(([, some]) => some.map((position) => (position < 0 ? MASKED_SCORE : 0)))),
  };
}

/** Computes where new positions are stored, their rotary angles, and what each can attend to. */
export function cachePositions(
  { config, slots: allSlots, capacity }: { config: TransformerConfig; slots: number; capacity: number },
  starts: readonly SlotStart[],
  count: number,
): CachePositions {
  const { hiddenSize, heads, rope } = config;
  const step = { count, slots: starts.length, allSlots };
  const positions = starts.map(({ slot, start }) => [slot, range(start, start + count)] as const);
  const angles = ropeAngles(rope, Int32Array.from(positions.flatMap(([, some]) => some)), hiddenSize / heads);
  const reading = readsInOrder(config, step)
    ? orderedReading(config, starts, capacity)
    : wholeReading(config, starts, step, capacity);
  return { ...angles, ...reading, rows: cacheRows(config, capacity, positions) };
}
