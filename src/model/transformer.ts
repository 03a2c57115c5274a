/**
 * @module The pre-norm Llama block that the encoder, decoder, latent global transformer, patcher and source all use (blt-format 1.2, 4.2): the
 * stack of layers, one block, its attention and feed-forward branches, rotary position embeddings. Hidden states are [rows * length, hidden].
 */
import type { RopeConfig, TransformerConfig } from '../blt/index.js';
import {
  attend,
  type CausalAttention,
  checkpointed,
  fusedOp,
  hasAttentionKernel,
  linear,
  rmsNorm,
  swiglu,
  tf,
  tritonAttention,
} from '../engine/index.js';
import { type AttentionPlan, attentionPlan, keysMask } from './masks.js';
import { type Params, param } from './params.js';
import { ropeAngles } from './rope-angles.js';

/** What all layers of a transformer share within one batch. */
export interface BlockContext {
  readonly config: TransformerConfig;
  readonly rope: RopeTable;
  readonly attention: AttentionPlan;
  /** What a kernel is told that computes attention in place of the plan's blocks; null if the blocks compute it. */
  readonly kernel: CausalAttention | null;
  /** The KV cache of incremental decoding; null if positions attend only to positions of the batch. */
  readonly cache: KeyValueCache | null;
  /** Whether the backward pass recomputes a layer's activations instead of keeping them. */
  readonly gradientCheckpointing: boolean;
}

export interface SequenceShape {
  readonly rows: number;
  readonly length: number;
  /** The document of each position, int32 [rows, length]; null if each row is one document. */
  readonly documents: tf.Tensor | null;
}

/** How a forward pass is differentiated; it does not change what it computes. */
export interface ForwardOptions {
  /** Keep only each layer's input, and recompute the rest in the backward pass. */
  readonly gradientCheckpointing?: boolean;
}

/** Builds the rotary tables and masks of a transformer over [rows, length] positions. */
export function blockContext(
  config: TransformerConfig,
  shape: SequenceShape,
  options: ForwardOptions & { readonly layout?: RopeLayout } = {},
): BlockContext {
  const { hiddenSize, heads, kvHeads, rope } = config;
  const { rows, length, documents } = shape;
  const window = config.window ?? length;
  const repeat = heads / kvHeads;
  const hasKernel = hasAttentionKernel(hiddenSize / heads);
  return {
    config,
    rope: ropeTable(rope, length, hiddenSize / heads, options.layout),
    attention: hasKernel
      ? { rows, length, repeat, window, blocks: [] }
      : attentionPlan({ ...shape, window: config.window, repeat }),
    kernel: hasKernel ? { window, documents } : null,
    cache: null,
    gradientCheckpointing: options.gradientCheckpointing ?? false,
  };
}

/** The keys and values of earlier positions. */
export interface KeyValueCache {
  /**
   * Adds a layer's k and v [rows, kvHeads, length, d] to the cache, and attends over everything cached: q [rows, heads, length, d] (scaled) ->
   * the same shape.
   */
  attend(layer: string, q: tf.Tensor, k: tf.Tensor, v: tf.Tensor): tf.Tensor;
}

/** All layers of a transformer in order: x [rows * length, hidden] -> the same shape. */
export function blocks(x: tf.Tensor, params: Params, prefix: string, context: BlockContext): tf.Tensor {
  let out = x;
  for (let i = 0; i < context.config.layers; i++) out = layer(out, params, `${prefix}.layers.${i}`, context);
  return out;
}

/** One layer, with or without gradient checkpointing, as the context says. */
export function layer(x: tf.Tensor, params: Params, prefix: string, context: BlockContext): tf.Tensor {
  // Under a gradient tape, tidy keeps what the backward pass needs; without one, it disposes everything but the result.
  return tf.tidy(() => (context.gradientCheckpointing ? checkpointedBlock : block)(x, params, prefix, context));
}

/** A layer that keeps only its input for the backward pass. */
function checkpointedBlock(x: tf.Tensor, params: Params, prefix: string, context: BlockContext): tf.Tensor {
  const own = [...params.keys()].filter((name) => name.startsWith(`${prefix}.`));
  const { rope, attention, kernel } = context;
  const masks = attention.blocks.flatMap(({ mask }) => mask ?? []);
  const documents = kernel?.documents ?? null;
  return checkpointed(
    ([input, ...values], [cos, sin, ...given]) => {
      const recomputed: BlockContext = {
        ...context,
        rope: { ...rope, cos: cos!, sin: sin! },
        attention: { ...attention, blocks: attention.blocks.map((part, i) => ({ ...part, mask: given[i] ?? null })) },
        kernel: kernel && { ...kernel, documents: documents && given.at(-1)! },
      };
      return block(input!, new Map(own.map((name, i) => [name, values[i]!])), prefix, recomputed);
    },
    [x, ...own.map((name) => param(params, name))],
    [rope.cos, rope.sin, ...masks, ...(documents === null ? [] : [documents])],
  );
}

/** One layer: x [rows * length, hidden] -> the same shape. `prefix` is the layer's name in the checkpoint (`model.patcher.layers.0`). */
export function block(x: tf.Tensor, params: Params, prefix: string, context: BlockContext): tf.Tensor {
  const mixed = tf.add(x, attentionBranch(x, params, prefix, context));
  return tf.add(mixed, feedForward(mixed, params, prefix, context.config));
}

function attentionBranch(x: tf.Tensor, params: Params, prefix: string, context: BlockContext): tf.Tensor {
  const { config, rope, attention } = context;
  const { hiddenSize, heads, kvHeads, rmsNormEps } = config;
  const { rows, length } = attention;
  const headDim = hiddenSize / heads;
  const project = (y: tf.Tensor, name: string) => projection(y, params, `${prefix}.self_attn.${name}`);
  const normal = rmsNorm(x, param(params, `${prefix}.input_layernorm.weight`), rmsNormEps);
  const rotated = (name: string, count: number, scale: number) =>
    rotatedHeads(project(normal, name), { rows, length, heads: count, scale }, rope);
  const headsFirst = (y: tf.Tensor) => tf.transpose(y, [0, 2, 1, 3]);
  const q = rotated('q_proj', heads, headDim ** -0.5);
  const k = rotated('k_proj', kvHeads, 1);
  const v = headsFirst(tf.reshape(project(normal, 'v_proj'), [rows, length, kvHeads, headDim]));
  const mixed = attended(q, k, v, prefix, context);
  const out = headsFirst(mixed);
  return project(tf.reshape(out, [rows * length, hiddenSize]), 'o_proj');
}

/** Attention by the cache, a kernel or blocks: q [rows, heads, length, d] -> the same shape. */
function attended(
  q: tf.Tensor,
  k: tf.Tensor,
  v: tf.Tensor,
  layer: string,
  { attention, kernel, cache }: BlockContext,
): tf.Tensor {
  if (cache !== null) return cache.attend(layer, q, k, v);
  return kernel === null ? selfAttention(q, k, v, attention) : tritonAttention(q, k, v, kernel);
}

/** The feed-forward branch of a layer, which is added to its input: x [N, hidden] -> [N, hidden]. */
export function feedForward(x: tf.Tensor, params: Params, prefix: string, config: TransformerConfig): tf.Tensor {
  const project = (y: tf.Tensor, name: string) => projection(y, params, `${prefix}.mlp.${name}`);
  const normal = rmsNorm(x, param(params, `${prefix}.post_attention_layernorm.weight`), config.rmsNormEps);
  return project(swiglu(project(normal, 'gate_proj'), project(normal, 'up_proj')), 'down_proj');
}

/** Applies a projection and, if it has one, its LoRA adapter. */
function projection(x: tf.Tensor, params: Params, name: string): tf.Tensor {
  const y = linear(x, param(params, `${name}.weight`));
  const [down, up] = [params.get(`${name}.lora_A.weight`), params.get(`${name}.lora_B.weight`)];
  if (down === undefined || up === undefined) return y;
  return tf.add(y, linear(linear(x, down), up));
}

/** Positions [from, to) of x [rows, heads, length, d]. */
function slicePositions(x: tf.Tensor, from: number, to: number): tf.Tensor {
  const [rows, heads, length, headDim] = x.shape as [number, number, number, number];
  return from === 0 && to === length ? x : tf.slice(x, [0, 0, from, 0], [rows, heads, to - from, headDim]);
}

/**
 * Causal attention: q [rows, heads, length, d] (scaled), k and v [rows, kvHeads, before + length, d] -> [rows, heads, length, d].
 * The query heads that share a key-value head are stacked as extra query rows, so keys and values are never repeated.
 */
export function selfAttention(q: tf.Tensor, k: tf.Tensor, v: tf.Tensor, plan: AttentionPlan): tf.Tensor {
  const [rows, heads, length, headDim] = q.shape as [number, number, number, number];
  const before = k.shape[2]! - length;
  const parts = plan.blocks.map((block) =>
    tf.tidy(() => {
      const { from, to, firstKey } = block;
      const queries = slicePositions(q, from, to);
      const stacked = tf.reshape(queries, [rows, heads / plan.repeat, plan.repeat * (to - from), headDim]);
      const [keys, values] = [k, v].map((x) => slicePositions(x, before + firstKey, before + to));
      const out = attend(stacked, keys!, values!, keysMask(block, plan));
      return tf.reshape(out, [rows, heads, to - from, headDim]);
    }),
  );
  return parts.length === 1 ? parts[0]! : tf.concat(parts, 2);
}

/**
 * Which dimensions of a head rotate together: `interleaved` pairs (2j, 2j + 1), as BLT and GGUF files do; `half` pairs (j, j + d / 2), as
 * transformers' Llama checkpoints do.
 */
export type RopeLayout = 'interleaved' | 'half';

/** cos and sin of each position and pair: [length, headDim / 2], or [rows, length, headDim / 2] if rows are at different positions. */
export interface RopeTable {
  readonly layout: RopeLayout;
  readonly cos: tf.Tensor;
  readonly sin: tf.Tensor;
}

/** The rotary table of positions 0 to length - 1. */
export function ropeTable(
  rope: RopeConfig,
  length: number,
  headDim: number,
  layout: RopeLayout = 'interleaved',
): RopeTable {
  const { cos, sin } = ropeAngles(
    rope,
    Int32Array.from({ length }, (_, position) => position),
    headDim,
  );
  const shape: [number, number] = [length, headDim / 2];
  return { layout, cos: tf.tensor2d(cos, shape), sin: tf.tensor2d(sin, shape) };
}

/** Applies rotary position embeddings: x [rows, length, heads, headDim] -> the same shape. */
export function rotate(x: tf.Tensor, { layout, cos, sin }: RopeTable): tf.Tensor {
  const [rows, length, heads, headDim] = x.shape as [number, number, number, number];
  const half = headDim / 2;
  const interleaved = layout === 'interleaved';
  const [paired, pairAxis] = interleaved ? [[half, 2], 4] : [[2, half], 3];
  const tables = cos.rank === 3 ? rows : 1;
  const table = interleaved ? [tables, length, 1, half, 1] : [tables, length, 1, 1, half];
  const [a, b] = tf.split(tf.reshape(x, [rows, length, heads, ...paired]), 2, pairAxis) as [tf.Tensor, tf.Tensor];
  const [c, s] = [tf.reshape(cos, table), tf.reshape(sin, table)];
  const rotated = [tf.sub(tf.mul(a, c), tf.mul(b, s)), tf.add(tf.mul(b, c), tf.mul(a, s))];
  return tf.reshape(tf.concat(rotated, pairAxis), x.shape);
}

/** Prepares queries or keys for attention: x [rows * length, heads * headDim] -> [rows, heads, length, headDim], rotated, times `scale`. */
export function rotatedHeads(
  x: tf.Tensor,
  shape: { readonly rows: number; readonly length: number; readonly heads: number; readonly scale: number },
  { layout, cos, sin }: RopeTable,
): tf.Tensor {
  const { rows, length, heads, scale } = shape;
  const headDim = x.shape[1]! / heads;
  const key = `heads ${rows} ${length} ${heads} ${scale} ${layout}`;
  const rotateHeads = (flat: tf.Tensor, c: tf.Tensor, s: tf.Tensor) => {
    const rotated = rotate(tf.reshape(flat, [rows, length, heads, headDim]), { layout, cos: c, sin: s });
    return tf.transpose(scale === 1 ? rotated : tf.mul(rotated, scale), [0, 2, 1, 3]);
  };
  return fusedOp(key, rotateHeads, [x], [cos, sin]);
}

/** The index of a layer in its transformer, from its name (`model.patcher.layers.0`). */
export const layerNumber = (layer: string): number => Number(layer.slice(layer.lastIndexOf('.') + 1));
