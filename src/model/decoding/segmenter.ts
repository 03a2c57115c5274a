/**
 * @module Segments texts of any length into patches, in strides. The patcher's keys and values of one window are passed from stride to stride, so
 * time is linear in the text and memory is constant (blt-format 2).
 */
import { encodeBytes } from '../../blt/index.js';
import { tf, type Variable } from '../../engine/index.js';
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
   * Segments a text; only the patcher runs. One text at a time.
   * @param onProgress called with the number of bytes read. @param signal checked between strides
   * @returns entropies in nats per byte, and patch lengths, which sum to the byte count + 1
   * @throws the signal's reason
   */
  segment(text: Uint8Array, options?: { onProgress?: (bytes: number) => void; signal?: AbortSignal }): Promise<TextCut>;
  dispose(): void;
}

/** Positions per stride. */
const STRIDE = 1024;
/** Strides are padded to a multiple of this, so that few shapes are compiled. */
const STEP = 256;

const roundedUp = (count: number, step: number) => Math.ceil(count / step) * step;

/** The last `count` positions of x [1, heads, length, d]. */
function lastOf(x: tf.Tensor, count: number): tf.Tensor {
  const [rows, heads, length, depth] = x.shape as [number, number, number, number];
  return tf.slice(x, [0, 0, length - count, 0], [rows, heads, count, depth]);
}

/** The shape of a stride: its number of positions, whether it is the first, and whether it passes its window on. */
interface StrideShape {
  readonly count: number;
  readonly isFirst: boolean;
  readonly passesOn: boolean;
}

/**
 * ids [count], cos and sin [count, d / 2] -> entropies [count], in nats, of the predictions at these positions.
 * @param previous keys and values of the positions before the stride that its first position sees
 */
function strideStep(model: ResidentModel, previous: LayerCaches, { count, isFirst, passesOn }: StrideShape) {
  const { config, capacity } = previous;
  const { heads, kvHeads, hiddenSize, window } = config;
  const depth = hiddenSize / heads;
  const angles = { dtype: 'float32', shape: [count, depth / 2] } as const;
  const before = isFirst ? 0 : capacity;
  const inputs = { ids: { dtype: 'int32', shape: [count] }, cos: angles, sin: angles } as const;
  return stepFunction(inputs, { mode: 'graph', gradual: false }, ({ ids, cos, sin }) => {
    const plan = attentionPlan({ rows: 1, length: count, window, repeat: heads / kvHeads, before, documents: null });
    const after = (variable: Variable, fresh: tf.Tensor) => {
      const all = isFirst ? fresh : tf.concat([tf.reshape(variable.read(), [1, kvHeads, capacity, depth]), fresh], 2);
      if (passesOn) variable.assign(tf.reshape(lastOf(all, capacity), variable.shape as [number, number]));
      return all;
    };
    const context: BlockContext = {
      config,
      rope: { layout: 'interleaved', cos, sin },
      attention: plan,
      kernel: null,
      cache: {
        attend(layer, q, k, v) {
          const i = layerNumber(layer);
          return selfAttention(q, after(previous.keys[i]!, k), after(previous.values[i]!, v), plan);
        },
      },
      gradientCheckpointing: false,
    };
    const params = residentParams(model);
    return [entropyOf(patcherHead(params, patcherStates(params, ids, context)))];
  });
}

/** Opens a segmenter. The engine must be started. The caller keeps `model`, which needs only the patcher's weights. */
export function openSegmenter(model: ResidentModel, options: { readonly stride?: number } = {}): Segmenter {
  const { patcher } = model.config;
  const { window, rope, hiddenSize, heads } = patcher;
  // Without a window every position sees all earlier ones, so a text is a single stride.
  const stride = window === null ? Number.POSITIVE_INFINITY : Math.max(options.stride ?? STRIDE, window);
  const previous = createCaches(patcher, 1, window === null ? 0 : window - 1);
  const steps = new Map<string, StepFunction<'ids' | 'cos' | 'sin'>>();

  function stepOf(shape: StrideShape) {
    const key = JSON.stringify(shape);
    const step = steps.get(key) ?? strideStep(model, previous, shape);
    steps.set(key, step);
    return step;
  }

  /** Entropies [to - from], in nats, of the predictions at positions [from, to). */
  async function entropiesOf(ids: Int32Array, from: number, to: number): Promise<Float32Array> {
    const count = Math.min(stride, roundedUp(to - from, STEP));
    const padded = new Int32Array(count);
    padded.set(ids.subarray(from, to));
    const positions = Int32Array.from({ length: count }, (_, i) => from + i);
    const step = stepOf({ count, isFirst: from === 0, passesOn: to < ids.length });
    const [entropies] = await step.run({ ids: padded, ...ropeAngles(rope, positions, hiddenSize / heads) });
    const values = entropies!.dataSync().slice(0, to - from) as Float32Array;
    entropies!.dispose();
    return values;
  }

  return {
    async segment(text, { onProgress, signal } = {}) {
      // No prediction follows the last byte, and the last patch ends with it in any case.
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
      disposeCaches(previous);
    },
  };
}
