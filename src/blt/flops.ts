/**
 * @module Floating-point operations per byte of text: of the model by part, of the source, and of a training stage with both.
 *
 * A multiply-add counts as 2. Only matrix products are counted. Norms, softmax, activations, table look-ups, pooling and sums over the
 * vocabulary are omitted (together under 2 % at the sizes in use), and so are the products of LoRA adapters (under 1 % at a rank of 16).
 *
 * One transformer block of width H, key/value width K and feed-forward width I, at one position that sees c keys:
 *   q and o   2 · 2·H·H        k and v   2 · 2·H·K        gate, up, down   3 · 2·H·I        scores and mix   2 · 2·H·c
 * The parts and how often each runs (blt-format 1.4 to 1.6). With b bytes per patch, the cost per patch is divided by b:
 *   encoder    its blocks per byte
 *   pooling    (counted with the encoder where parts are listed) cross k and v per byte; per patch: pooled projection He → k·He, q and o on
 *              k rows; scores of k queries per byte; and k·He → Hg per patch if the widths differ
 *   global     its blocks per patch
 *   decoder    its blocks per byte; Hg → k·Hd per patch; per layer with k > 1: cross q, o and scores over k keys per byte, cross k and v on k
 *              rows per patch; with k = 1: cross v and o per patch
 *   head       Hd → 260 per byte
 *   patcher    its blocks and its own head per byte
 *   source     the global's blocks per token, without a window, and its head Hg → vocabulary per token
 */

import { type BltConfig, needsProjection, type TransformerConfig } from './config.js';
import { type Involvement, SECTIONS, type Section, type StageShape, stageRuns } from './stage-kinds.js';

/** FLOPs per byte, split by whether a product is with a weight (whose gradient is a third product) or between activations. */
export interface Flops {
  readonly weights: number;
  readonly attention: number;
}

export type FlopParts = Readonly<Record<'encoder' | 'global' | 'decoder' | 'head' | 'patcher', Flops>>;

/**
 * The text's shape: its length in bytes sets how many keys a position sees, bytes per patch how often the global part runs. With infinitely
 * many bytes per patch, only what runs at every byte remains.
 */
export interface TextShape {
  readonly bytes: number;
  readonly bytesPerPatch: number;
}

/** What the source's cost depends on besides its blocks, which are those of the global transformer. */
export interface SourceShape {
  readonly vocabSize: number;
  readonly bytesPerToken: number;
}

/** FLOPs per byte of text of one forward pass, by part. */
export function forwardFlops(config: BltConfig, text: TextShape): FlopParts {
  const { encoder, pooling, global, decoder, head, patcher } = sectionFlops(config, text);
  return { encoder: sum(encoder, pooling), global, decoder, head, patcher };
}

/** FLOPs per token of the source on the same text: its blocks and its head. A token sees those before it among `tokens`. */
export function sourceForwardFlops(
  block: Omit<TransformerConfig, 'window'>,
  { vocabSize, tokens }: { vocabSize: number; tokens: number },
): { readonly blocks: Flops; readonly head: Flops } {
  return {
    blocks: blocks({ ...block, window: null }, tokens),
    head: weights(linear(block.hiddenSize, vocabSize)),
  };
}

/** How many times a section computes the products of a forward pass. */
const TIMES: Readonly<Record<Involvement, Flops>> = {
  trained: { weights: 3, attention: 3 },
  frozen: { weights: 2, attention: 3 },
  'forward-only': { weights: 1, attention: 1 },
  absent: { weights: 0, attention: 0 },
};

/**
 * FLOPs of a training step, from those of a forward pass. The backward pass of y = x·W needs the gradients of x and of W, each as costly
 * as the forward product. Attention's products are between two activations, whose gradients are both needed. Hence three times the forward
 * pass. A frozen part passes gradients through but computes none for its weights: 2 times for weight products. Forward only: once. The
 * count includes the unused gradient with respect to the input of the first trained products (about 1 % of a stage).
 */
export function trainingFlops(forward: Flops, involvement: Involvement): number {
  const times = TIMES[involvement];
  return times.weights * forward.weights + times.attention * forward.attention;
}

/** FLOPs per byte of a training step in which everything but the patcher is trained and the patches are given. */
export function trainingFlopsPerByte(config: BltConfig, text: TextShape): number {
  const { encoder, global, decoder, head } = forwardFlops(config, text);
  return trainingFlops(sum(encoder, global, decoder, head), 'trained');
}

/** FLOPs per byte of the text that a stage reads. */
export interface StageFlops {
  /** The BLT's forward and backward passes, including the patcher's forward pass; in closed form the encoder's, and the sums of the normal equations. */
  readonly model: number;
  /** The source's blocks, forward. With cached states, this applies only to the share of the text whose states are computed. */
  readonly sourceStates: number;
  /** The source's head, forward. It runs on cached states too. */
  readonly sourceHead: number;
}

/**
 * The cost of a stage in FLOPs per byte of text. Of a closed form, only what happens on the text of its solves; closed-form-flops.ts adds the
 * rest. The solves themselves are omitted: they cost a few cubes of the feature width, while the sums cost its square for every byte of text.
 */
export function stageFlops(params: {
  readonly config: BltConfig;
  readonly text: TextShape;
  readonly source: SourceShape;
  readonly stage: StageShape;
}): StageFlops {
  const { config, text, source, stage } = params;
  const { model, source: needed } = stageRuns(stage);
  const forward = sectionFlops(config, text);
  const sections = [...SECTIONS, 'patcher'] as const;
  const trained = sections.reduce((flops, section) => flops + trainingFlops(forward[section], model[section]), 0);
  const { vocabSize, bytesPerToken } = source;
  const token = sourceForwardFlops(config.global, { vocabSize, tokens: text.bytes / bytesPerToken });
  return {
    model: trained + (stage.kind === 'closed-form' ? normalEquationFlops(config, text) : 0),
    sourceStates: needed.states ? totalFlops(token.blocks) / bytesPerToken : 0,
    sourceHead: needed.distribution ? totalFlops(token.head) / bytesPerToken : 0,
  };
}

/** Sizes of a least-squares problem: features times features, and features times targets. */
export interface LeastSquares {
  readonly features: number;
  readonly targets: number;
}

/** The closed form's problem: from the input of the last projection before the global transformer to the embedding of a patch's token. */
export function leastSquaresOf(config: BltConfig): LeastSquares {
  const { encoder, global, crossAttnK } = config;
  const features = needsProjection(config) ? crossAttnK * encoder.hiddenSize : encoder.hiddenSize;
  return { features, targets: global.hiddenSize };
}

function normalEquationFlops(config: BltConfig, { bytesPerPatch }: TextShape): number {
  const { features, targets } = leastSquaresOf(config);
  return (linear(features, features) + linear(features, targets)) / bytesPerPatch;
}

export function totalFlops(flops: Flops): number {
  return flops.weights + flops.attention;
}

/**
 * The number of keys that a position of a text sees on average: position p sees p + 1 of them, at most the window.
 * (1 + 2 + ... + W + W·(n − W)) / n, and 0 of a text without positions
 */
export function meanVisibleKeys(positions: number, window: number | null): number {
  if (positions === 0) return 0;
  const reach = Math.min(positions, window ?? positions);
  return (reach * (reach + 1) * 0.5 + reach * (positions - reach)) / positions;
}

/** FLOPs per byte of text of one forward pass, by section. */
function sectionFlops(config: BltConfig, text: TextShape): Readonly<Record<Section | 'patcher', Flops>> {
  const { encoder, decoder, global, patcher, crossAttnK: k, vocabSize } = config;
  const perPatch = 1 / text.bytesPerPatch;
  const patches = text.bytes / text.bytesPerPatch;
  const wide = k * encoder.hiddenSize;
  const encoderCross = crossWidths(encoder);
  return {
    // Looking up rows and adding them is not a matrix product.
    hash: weights(0),
    encoder: blocks(encoder, text.bytes),
    pooling: sum(
      weights(encoderCross.keyValue),
      weights(perPatch * (linear(encoder.hiddenSize, wide) + k * encoderCross.queryOutput)),
      weights(needsProjection(config) ? perPatch * linear(wide, global.hiddenSize) : 0),
      attention(k * scores(encoder.hiddenSize, 1)),
    ),
    global: scaled(blocks(global, patches), perPatch),
    decoder: sum(
      blocks(decoder, text.bytes),
      weights(perPatch * linear(global.hiddenSize, k * decoder.hiddenSize)),
      scaled(crossFlops(decoder, k, perPatch), decoder.crossAttnAllLayers ? decoder.layers : 1),
    ),
    head: weights(linear(decoder.hiddenSize, vocabSize)),
    patcher: sum(blocks(patcher, text.bytes), weights(linear(patcher.hiddenSize, vocabSize))),
  };
}

function blocks(config: TransformerConfig, positions: number): Flops {
  const { hiddenSize, heads, kvHeads, intermediateSize, layers } = config;
  const keyValueSize = (hiddenSize / heads) * kvHeads;
  const products =
    2 * linear(hiddenSize, hiddenSize) +
    2 * linear(hiddenSize, keyValueSize) +
    3 * linear(hiddenSize, intermediateSize);
  const keys = meanVisibleKeys(positions, config.window);
  return { weights: layers * products, attention: layers * scores(hiddenSize, keys) };
}

/** One cross-attention of the decoder. The softmax over a single key is 1, so that its output is computed once per patch, from the value alone. */
function crossFlops(decoder: TransformerConfig, k: number, perPatch: number): Flops {
  const { queryOutput, keyValue } = crossWidths(decoder);
  if (k === 1) return weights((perPatch * (queryOutput + keyValue)) / 2);
  return sum(weights(queryOutput + perPatch * k * keyValue), attention(scores(decoder.hiddenSize, k)));
}

/** FLOPs of a cross-attention's projections for one row: queries and output, keys and values. */
function crossWidths({ hiddenSize, heads, kvHeads }: TransformerConfig): { queryOutput: number; keyValue: number } {
  return {
    queryOutput: 2 * linear(hiddenSize, hiddenSize),
    keyValue: 2 * linear(hiddenSize, (hiddenSize / heads) * kvHeads),
  };
}

function linear(inputs: number, outputs: number): number {
  return 2 * inputs * outputs;
}

/** FLOPs of one query against `keys` keys, over all heads: q·k, then the weighted sum of v. */
function scores(hiddenSize: number, keys: number): number {
  return 4 * hiddenSize * keys;
}

function weights(flops: number): Flops {
  return { weights: flops, attention: 0 };
}

function attention(flops: number): Flops {
  return { weights: 0, attention: flops };
}

function scaled(flops: Flops, factor: number): Flops {
  return { weights: factor * flops.weights, attention: factor * flops.attention };
}

function sum(...all: readonly Flops[]): Flops {
  return all.reduce((a, b) => ({ weights: a.weights + b.weights, attention: a.attention + b.attention }));
}
