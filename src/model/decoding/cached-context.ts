/** @module A context in which the layers of a transformer attend to cached keys and values, and add new ones. */
import { attend, tf, type Variable } from '../../engine/index.js';
import { type AttentionPlan, attentionPlan, keysMask } from '../masks.js';
import { type BlockContext, layerNumber, type RopeLayout, selfAttention } from '../transformer.js';
import { type CachePositions, readsInOrder } from './cache-positions.js';
import type { LayerCaches } from './layer-caches.js';

/** `CachePositions` as tensors. */
export type PositionTensors = Readonly<Record<keyof CachePositions, tf.Tensor>>;

/** The shapes of the arrays in `CachePositions` for `slots` slots. */
export function positionShapes(
  { config, slots: allSlots, capacity }: LayerCaches,
  slots: number,
  count: number,
): Record<keyof CachePositions, number[]> {
  const { kvHeads, window } = config;
  const half = config.hiddenSize / config.heads / 2;
  const inOrder = readsInOrder(config, { count, slots, allSlots });
  const gathered = inOrder ? slots * kvHeads * (window! - 1) : slots === allSlots ? 0 : slots * kvHeads * capacity;
  return {
    cos: [slots, count, half],
    sin: [slots, count, half],
    rows: [slots * kvHeads * count],
    mask: inOrder ? [slots, 1, 1, window! - 1] : [slots, 1, count, capacity],
    kept: [gathered],
  };
}

/** The plan by which `count` new positions attend to a window before them and to each other. @param absent [slots, 1, 1, window - 1], added to the scores of the window */
function orderedPlan({ config }: LayerCaches, slots: number, count: number, absent: tf.Tensor): AttentionPlan {
  const { heads, kvHeads, window } = config;
  const before = window! - 1;
  const plan = attentionPlan({
    ...{ rows: slots, length: count, window, repeat: heads / kvHeads, before },
    documents: null,
  });
  const blocks = plan.blocks.map((block) => {
    const near = keysMask(block, plan);
    if (block.firstKey >= 0) return { ...block, mask: near };
    const seen = tf.slice(absent, [0, 0, 0, before + block.firstKey], [slots, 1, 1, -block.firstKey]);
    const isAbsent = tf.pad(seen, [...[0, 1, 2].map((): [number, number] => [0, 0]), [0, block.to]]);
    return { ...block, mask: tf.add(near, isAbsent) };
  });
  return { ...plan, blocks };
}

/** A context in which blocks attend to the cached keys and values of some slots, and add new ones. */
export function cachedContext(
  caches: LayerCaches,
  { cos, sin, rows, mask, kept }: PositionTensors,
  {
    slots,
    count,
    layout = 'interleaved',
  }: { readonly slots: number; readonly count: number; readonly layout?: RopeLayout },
): BlockContext {
  const { config, slots: allSlots, capacity, keys, values } = caches;
  const { heads, kvHeads, hiddenSize, window } = config;
  const depth = hiddenSize / heads;
  const repeat = heads / kvHeads;
  const add = (variable: Variable, fresh: tf.Tensor) =>
    variable.scatterRows(rows, tf.reshape(fresh, [slots * kvHeads * count, depth]));
  const whole = (variable: Variable, fresh: tf.Tensor) => {
    add(variable, fresh);
    const all = kept.size === 0 ? variable.read() : variable.gatherRows(kept);
    return tf.reshape(all, [slots, kvHeads, capacity, depth]);
  };
  const inOrder = (variable: Variable, fresh: tf.Tensor) => {
    const before = tf.reshape(variable.gatherRows(kept), [slots, kvHeads, window! - 1, depth]);
    add(variable, fresh);
    return tf.concat([before, fresh], 2);
  };
  const context = { config, rope: { layout, cos, sin }, kernel: null, gradientCheckpointing: false };
  if (readsInOrder(config, { count, slots, allSlots })) {
    const attention = orderedPlan(caches, slots, count, mask);
    return {
      ...context,
      attention,
      cache: {
        attend(layer, q, k, v) {
          const i = layerNumber(layer);
          return selfAttention(q, inOrder(keys[i]!, k), inOrder(values[i]!, v), attention);
        },
      },
    };
  }
  return {
    ...context,
    attention: { rows: slots, length: count, repeat, window: capacity, blocks: [] },
    cache: {
      attend(layer, q, k, v) {
        const i = layerNumber(layer);
        const stacked = tf.reshape(q, [slots, kvHeads, repeat * count, depth]);
        const out = attend(stacked, whole(keys[i]!, k), whole(values[i]!, v), mask);
        return tf.reshape(out, [slots, heads, count, depth]);
      },
    },
  };
}
