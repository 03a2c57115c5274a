/** @module Keys and values that a transformer keeps of earlier positions, layer by layer, in variables that are written in place. */
import type { TransformerConfig } from '../../blt/index.js';
import { attend, tf, type Variable, zeroVariable } from '../../engine/index.js';
import { type BlockContext, layerNumber } from '../transformer.js';
import { keptRows, type Places } from './places.js';

export interface LayerCaches {
  readonly config: TransformerConfig;
  readonly lanes: number;
  /** Positions that a lane keeps. */
  readonly capacity: number;
  /** Of each layer, rows [lanes * kvHeads * capacity, d]. */
  readonly keys: readonly Variable[];
  readonly values: readonly Variable[];
}

export function createCaches(config: TransformerConfig, lanes: number, capacity: number): LayerCaches {
  const shape = [lanes * config.kvHeads * capacity, config.hiddenSize / config.heads];
  const layers = () => Array.from({ length: config.layers }, () => zeroVariable(shape));
  return { config, lanes, capacity, keys: layers(), values: layers() };
}

export function disposeCaches({ keys, values }: LayerCaches): void {
  for (const variable of [...keys, ...values]) variable.dispose();
}

/** What is kept, in caches of a larger capacity. Only for caches that have not begun to overwrite. The old ones are disposed. */
export function grownCaches(old: LayerCaches, capacity: number): LayerCaches {
  const { config, lanes } = old;
  const grown = createCaches(config, lanes, capacity);
  const heads = lanes * config.kvHeads;
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

/** Copies what a lane keeps in its first `filled` slots to another lane. */
export function copyLane(caches: LayerCaches, from: number, to: number, filled = caches.capacity): void {
  const { config, capacity } = caches;
  if (filled === 0) return;
  tf.tidy(() => {
    const [source, target] = [from, to].map((lane) => tf.tensor1d(keptRows(config, [lane], capacity, filled), 'int32'));
    for (const variable of [...caches.keys, ...caches.values])
      variable.scatterRows(target!, variable.gatherRows(source!));
  });
}

/** `Places` as tensors. */
export type PlaceTensors = Readonly<Record<keyof Places, tf.Tensor>>;

/** Shapes of the arrays in `Places` of some lanes. */
export function placeShapes(
  { config, lanes: all, capacity }: LayerCaches,
  lanes: number,
  count: number,
): Record<keyof Places, number[]> {
  const half = config.hiddenSize / config.heads / 2;
  return {
    cos: [lanes, count, half],
    sin: [lanes, count, half],
    rows: [lanes * config.kvHeads * count],
    mask: [lanes, 1, count, capacity],
    kept: [lanes === all ? 0 : lanes * config.kvHeads * capacity],
  };
}

/** A context in which blocks see what some lanes keep, and keep what they make. */
export function cachedContext(
  { config, capacity, keys, values }: LayerCaches,
  { cos, sin, rows, mask, kept }: PlaceTensors,
  { lanes, count }: { readonly lanes: number; readonly count: number },
): BlockContext {
  const { heads, kvHeads, hiddenSize } = config;
  const depth = hiddenSize / heads;
  const repeat = heads / kvHeads;
  const keptWith = (variable: Variable, fresh: tf.Tensor) => {
    variable.scatterRows(rows, tf.reshape(fresh, [lanes * kvHeads * count, depth]));
    const all = kept.size === 0 ? variable.read() : variable.gatherRows(kept);
    return tf.reshape(all, [lanes, kvHeads, capacity, depth]);
  };
  return {
    config,
    rope: { layout: 'interleaved', cos, sin },
    attention: { rows: lanes, length: count, repeat, window: capacity, blocks: [] },
    cache: {
      attend(layer, q, k, v) {
        const i = layerNumber(layer);
        const stacked = tf.reshape(q, [lanes, kvHeads, repeat * count, depth]);
        const out = attend(stacked, keptWith(keys[i]!, k), keptWith(values[i]!, v), mask);
        return tf.reshape(out, [lanes, heads, count, depth]);
      },
    },
    rematerialise: false,
  };
}
