/** @module Keys and values that a transformer keeps of earlier positions, layer by layer, in variables that are written in place. */
import type { TransformerConfig } from '../../blt/index.js';
import { attend, tf, type Variable, zeroVariable } from '../../engine/index.js';
import type { BlockContext } from '../block.js';
import type { Places } from './places.js';

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

/** `Places` as tensors. */
export type PlaceTensors = Readonly<Record<keyof Places, tf.Tensor>>;

/** Shapes of the arrays in `Places`. */
export function placeShapes({ config, lanes, capacity }: LayerCaches, count: number): Record<keyof Places, number[]> {
  const half = config.hiddenSize / config.heads / 2;
  return {
    cos: [lanes, count, half],
    sin: [lanes, count, half],
    rows: [lanes * config.kvHeads * count],
    mask: [lanes, 1, count, capacity],
  };
}

/** A context in which blocks see what is kept, and keep what they make. @param prefix of the layers' names */
export function cachedContext(
  { config, lanes, capacity, keys, values }: LayerCaches,
  prefix: string,
  { cos, sin, rows, mask }: PlaceTensors,
  count: number,
): BlockContext {
  const { heads, kvHeads, hiddenSize } = config;
  const depth = hiddenSize / heads;
  const repeat = heads / kvHeads;
  const kept = (variable: Variable, fresh: tf.Tensor) => {
    variable.scatterRows(rows, tf.reshape(fresh, [lanes * kvHeads * count, depth]));
    return tf.reshape(variable.read(), [lanes, kvHeads, capacity, depth]);
  };
  return {
    config,
    rope: { layout: 'interleaved', cos, sin },
    attention: { rows: lanes, length: count, repeat, window: capacity, blocks: [] },
    cache: {
      attend(layer, q, k, v) {
        const i = Number(layer.slice(`${prefix}.layers.`.length));
        const stacked = tf.reshape(q, [lanes, kvHeads, repeat * count, depth]);
        const out = attend(stacked, kept(keys[i]!, k), kept(values[i]!, v), mask);
        return tf.reshape(out, [lanes, heads, count, depth]);
      },
    },
    rematerialise: false,
  };
}
