/**
 * @module Cuts texts of any length into patches in strides: the patcher's keys and values of a window are handed from stride to stride, so that time
 * grows with the text and memory does not (blt-format 2).
 */
import { encodeBytes } from '../../blt/index.js';
import { graphOrEager, tf, type Variable } from '../../engine/index.js';
import type { TextCut } from '../../patching/index.js';
import { attentionPlan } from '../masks.js';
import { entropyOf, patcherHead, patcherStates } from '../patcher/patcher.js';
import { ropeAngles } from '../rope-angles.js';
import { type BlockContext, layerNumber, selfAttention } from '../transformer.js';
import { createCaches, disposeCaches, type LayerCaches } from './layer-caches.js';
import { type ResidentModel, residentParams } from './resident-model.js';
import { closes, patchLengthsOf } from './sequence-slots.js';
import { type StepFunction, stepFunction } from './step-function.js';

export interface Segmenter {
  /**
   * How the model cuts a text; only its patcher runs. One text at a time.
   * @param onProgress gets the bytes that were read. @param signal is looked at between strides, and its reason thrown
   */
  segment(text: Uint8Array, options?: { onProgress?: (bytes: number) => void; signal?: AbortSignal }): Promise<TextCut>;
  dispose(): void;
}

/** Positions of a stride. */
const STRIDE = 1024;
/** Strides are padded to a multiple of this, so that few shapes are compiled. */
const STEP = 256;

const roundedUp = (count: number, step: number) => Math.ceil(count / step) * step;

/** The last `count` positions of x [1, heads, length, d]. */
function lastOf(x: tf.Tensor, count: number): tf.Tensor {
  const [rows, heads, length, depth] = x.shape as [number, number, number, number];
  return tf.slice(x, [0, 0, length - count, 0], [rows, heads, count, depth]);
}

/** A stride of `count` positions, after others or first, which hands its window on or does not. */
interface StrideShape {
  readonly count: number;
  readonly isFirst: boolean;
  readonly handsOn: boolean;
}

/**
 * ids [count], cos and sin [count, d / 2] -> entropies [count], nats, of the predictions made there.
 * @param carried of the positions before the stride, as many as its first one sees beside itself
 */
function strideStep(model: ResidentModel, carried: LayerCaches, { count, isFirst, handsOn }: StrideShape) {
  const { config, capacity } = carried;
  const { heads, kvHeads, hiddenSize, window } = config;
  const depth = hiddenSize / heads;
  const angles = { dtype: 'float32', shape: [count, depth / 2] } as const;
  const before = isFirst ? 0 : capacity;
  const inputs = { ids: { dtype: 'int32', shape: [count] }, cos: angles, sin: angles } as const;
  return stepFunction(inputs, { mode: graphOrEager(), gradual: false }, ({ ids, cos, sin }) => {
    const plan = attentionPlan({ rows: 1, length: count, window, repeat: heads / kvHeads, before, documents: null });
    const after = (variable: Variable, fresh: tf.Tensor) => {
      const all = isFirst ? fresh : tf.concat([tf.reshape(variable.read(), [1, kvHeads, capacity, depth]), fresh], 2);
      if (handsOn) variable.assign(tf.reshape(lastOf(all, capacity), variable.shape as [number, number]));
      return all;
    };
    const context: BlockContext = {
      config,
      rope: { layout: 'interleaved', cos, sin },
      attention: plan,
      cache: {
        attend(layer, q, k, v) {
          const i = layerNumber(layer);
          return selfAttention(q, after(carried.keys[i]!, k), after(carried.values[i]!, v), plan);
        },
      },
      gradientCheckpointing: false,
    };
    const params = residentParams(model);
    return [entropyOf(patcherHead(params, patcherStates(params, ids, context)))];
  });
}

/** The engine must be started. `model` stays the caller's; of its weights, the patcher's are enough. */
export function openSegmenter(model: ResidentModel, options: { readonly stride?: number } = {}): Segmenter {
  const { patcher } = model.config;
  const { window, rope, hiddenSize, heads } = patcher;
  // Without a window every position sees all before it: then a text is one stride.
  const stride = window === null ? Number.POSITIVE_INFINITY : Math.max(options.stride ?? STRIDE, window);
  const carried = createCaches(patcher, 1, window === null ? 0 : window - 1);
  const steps = new Map<string, StepFunction<'ids' | 'cos' | 'sin'>>();

  function stepOf(shape: StrideShape) {
    const key = JSON.stringify(shape);
    const step = steps.get(key) ?? strideStep(model, carried, shape);
    steps.set(key, step);
    return step;
  }

  /** PatcherRunner [to - from] of the predictions made at positions from..to. */
  async function entropiesOf(ids: Int32Array, from: number, to: number): Promise<Float32Array> {
    const count = Math.min(stride, roundedUp(to - from, STEP));
    const padded = new Int32Array(count);
    padded.set(ids.subarray(from, to));
    const positions = Int32Array.from({ length: count }, (_, i) => from + i);
    const step = stepOf({ count, isFirst: from === 0, handsOn: to < ids.length });
    const [entropies] = await step.run({ ids: padded, ...ropeAngles(rope, positions, hiddenSize / heads) });
    const values = entropies!.dataSync().slice(0, to - from) as Float32Array;
    entropies!.dispose();
    return values;
  }

  return {
    async segment(text, { onProgress, signal } = {}) {
      // The last byte predicts nothing, and whether a patch ends with it does not show.
      const ids = encodeBytes(text).subarray(0, text.length);
      const entropyNats = new Float32Array(text.length);
      const ends: number[] = [];
      for (let from = 0; from < ids.length; from += stride) {
        signal?.throwIfAborted();
        const to = Math.min(from + stride, ids.length);
        entropyNats.set(await entropiesOf(ids, from, to), from);
        onProgress?.(to);
      }
      entropyNats.forEach((nats, at) => {
        if (closes(ends.at(-1) ?? 0, at, nats, model.config)) ends.push(at + 1);
      });
      return { entropyNats, patchLengths: patchLengthsOf(ends, text.length + 1) };
    },
    dispose() {
      for (const step of steps.values()) step.dispose();
      disposeCaches(carried);
    },
  };
}
