/** @module The keys and values of earlier positions of a transformer, layer by layer, in variables that are written in place. */
import type { TransformerConfig } from '../../blt/index.js';
import { tf, type Variable, zeroVariable } from '../../engine/index.js';
import { cacheRows } from './cache-positions.js';

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

/** Copies positions [first, length) of a slot to other slots. */
export function copySlot(
  { config, capacity, keys, values }: LayerCaches,
  {
    from,
    to,
    first,
    length,
  }: Readonly<Record<'from' | 'first' | 'length', number>> & { readonly to: readonly number[] },
): void {
  if (first === length) return;
  const positions = Array.from({ length: length - first }, (_, i) => first + i);
  const rowsOf = (slots: readonly number[]) =>
    tf.tensor1d(
      cacheRows(
        config,
        capacity,
        slots.map((slot) => [slot, positions] as const),
      ),
      'int32',
    );
  tf.tidy(() => {
    const [source, target] = [rowsOf(to.map(() => from)), rowsOf(to)];
    for (const variable of [...keys, ...values]) variable.scatterRows(target, variable.gatherRows(source));
  });
}
