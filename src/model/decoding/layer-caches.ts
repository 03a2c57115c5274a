/** @module The keys and values of earlier positions of a transformer, layer by layer, in variables that are written in place. */
import type { TransformerConfig } from '../../blt/index.js';
import { attend, tf, type Variable, zeroVariable } from '../../engine/index.js';
import { type BlockContext, layerNumber, type RopeLayout } from '../transformer.js';
import { type CachePositions, keptRows } from './cache-positions.js';

export interface LayerCaches {
  readonly config: TransformerConfig;
  readonly slots: number;
  /** Positions per slot. */
  readonly capacity: number;
  /** One variable per layer, with rows [slots * kvHeads * capacity, d]. */
  readonly keys: readonly Variable[];
  readonly values: readonly Variable[];
}

export function createCaches(config: TransformerConfig, slots: number, capacity: number): LayerCaches {
  const shape = [slots * config.kvHeads * capacity, config.hiddenSize / config.heads];
  const layers = () => Array.from({ length: config.layers }, () => zeroVariable(shape));
  return { config, slots, capacity, keys: layers(), values: layers() };
}

export function disposeCaches({ keys, values }: LayerCaches): void {
  for (const variable of [...keys, ...values]) variable.dispose();
}

/** Copies caches into new ones of a larger capacity and disposes the old ones. Only for caches that have not wrapped around. */
export function grownCaches(old: LayerCaches, capacity: number): LayerCaches {
  const { config, slots } = old;
  const grown = createCaches(config, slots, capacity);
  const heads = slots * config.kvHeads;
  const depth = config.hiddenSize / config.heads;
  const copy = (from: Variable, to: Variable) =>
    tf.tidy(() => {
      const kept = tf.reshape(from.read(), [heads, old.capacity, depth]);
      const padded = tf.pad(kept, [
        [0, 0],
        [0, capacity - old.capacity],
        [0, 0],
      ]);
      to.assign(tf.reshape(padded, [heads * capacity, depth]));
    });
  old.keys.forEach((variable, i) => {
    copy(variable, grown.keys[i]!);
    copy(old.values[i]!, grown.values[i]!);
  });
  disposeCaches(old);
  return grown;
}

/** Copies the first `filled` positions of a slot to another slot. */
export function copySlot(caches: LayerCaches, from: number, to: number, filled = caches.capacity): void {
  const { config, capacity } = caches;
  if (filled === 0) return;
  tf.tidy(() => {
    const [source, target] = [from, to].map((slot) => tf.tensor1d(keptRows(config, [slot], capacity, filled), 'int32'));
    for (const variable of [...caches.keys, ...caches.values])
      variable.scatterRows(target!, variable.gatherRows(source!));
  });
}

/** `CachePositions` as tensors. */
export type PositionTensors = Readonly<Record<keyof CachePositions, tf.Tensor>>;

/** The shapes of the arrays in `CachePositions` for `slots` slots. */
export function positionShapes(
  { config, slots: all, capacity }: LayerCaches,
  slots: number,
  count: number,
): Record<keyof CachePositions, number[]> {
  const half = config.hiddenSize / config.heads / 2;
  return {
    cos: [slots, count, half],
    sin: [slots, count, half],
    rows: [slots * config.kvHeads * count],
    mask: [slots, 1, count, capacity],
    kept: [slots === all ? 0 : slots * config.kvHeads * capacity],
  };
}

/** A context in which blocks attend to the cached keys and values of some slots, and add new ones. */
export function cachedContext(
  { config, capacity, keys, values }: LayerCaches,
  { cos, sin, rows, mask, kept }: PositionTensors,
  {
    slots,
    count,
    layout = 'interleaved',
  }: { readonly slots: number; readonly count: number; readonly layout?: RopeLayout },
): BlockContext {
  const { heads, kvHeads, hiddenSize } = config;
  const depth = hiddenSize / heads;
  const repeat = heads / kvHeads;
  const keptWith = (variable: Variable, fresh: tf.Tensor) => {
    variable.scatterRows(rows, tf.reshape(fresh, [slots * kvHeads * count, depth]));
    const all = kept.size === 0 ? variable.read() : variable.gatherRows(kept);
    return tf.reshape(all, [slots, kvHeads, capacity, depth]);
  };
  return {
    config,
    rope: { layout, cos, sin },
    attention: { rows: slots, length: count, repeat, window: capacity, blocks: [] },
    cache: {
      attend(layer, q, k, v) {
        const i = layerNumber(layer);
        const stacked = tf.reshape(q, [slots, kvHeads, repeat * count, depth]);
        const out = attend(stacked, keptWith(keys[i]!, k), keptWith(values[i]!, v), mask);
        return tf.reshape(out, [slots, heads, count, depth]);
      },
    },
    gradientCheckpointing: false,
  };
}
