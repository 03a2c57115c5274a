/**
 * @module Floating-point operations per byte of text, by part.
 *
 * A multiply-add counts 2. Counted are the matrix products; norms, softmax, activations, table look-ups and pooling are left out
 * (together under 2 % at the sizes in use).
 *
 * One transformer block of width H, key/value width K and feed-forward width I, at one position that sees c keys:
 *   q and o   2 · 2·H·H        k and v   2 · 2·H·K        gate, up, down   3 · 2·H·I        scores and mix   2 · 2·H·c
 * The parts and how often each runs (blt-format 1.4 to 1.6), with b bytes a patch, so that a patch costs 1/b of it a byte:
 *   encoder    its blocks a byte; cross k and v a byte; a patch: pooled projection He → k·He, q and o on k rows; scores of k queries a byte;
 *              and k·He → Hg a patch where the widths differ
 *   global     its blocks a patch
 *   decoder    its blocks a byte; a layer's cross q, o and scores over k keys a byte, cross k and v on k rows a patch; Hg → k·Hd a patch
 *   head       Hd → 260 a byte
 *   patcher    its blocks and its own head a byte
 */

import { type BltConfig, needsProjection, type TransformerConfig } from '../blt/index.js';

/** FLOPs a byte, split by whether a product is with a weight (its gradient is a third product) or between activations. */
export interface Flops {
  readonly weights: number;
  readonly attention: number;
}

export type FlopParts = Readonly<Record<'encoder' | 'global' | 'decoder' | 'head' | 'patcher', Flops>>;

/** Where the text is: its length in bytes sets how many keys a position sees, bytes a patch how often the global part runs. */
export interface TextShape {
  readonly bytes: number;
  readonly bytesPerPatch: number;
}

/** One forward pass, FLOPs a byte of text. */
export function forwardFlops(config: BltConfig, text: TextShape): FlopParts {
  const { encoder, decoder, global, patcher, crossAttnK: k, vocabSize } = config;
  const perPatch = 1 / text.bytesPerPatch;
  const patches = text.bytes / text.bytesPerPatch;
  const wide = k * encoder.hiddenSize;
  const encoderCross = crossWidths(encoder);
  const decoderCross = crossWidths(decoder);
  const decoderCrossLayers = decoder.crossAttnAllLayers ? decoder.layers : 1;
  return {
    encoder: sum(
      blocks(encoder, text.bytes),
      weights(encoderCross.keyValue),
      weights(perPatch * (linear(encoder.hiddenSize, wide) + k * encoderCross.queryOutput)),
      weights(needsProjection(config) ? perPatch * linear(wide, global.hiddenSize) : 0),
      attention(k * scores(encoder.hiddenSize, 1)),
    ),
    global: scaled(blocks(global, patches), perPatch),
    decoder: sum(
      blocks(decoder, text.bytes),
      weights(perPatch * linear(global.hiddenSize, k * decoder.hiddenSize)),
      weights(decoderCrossLayers * (decoderCross.queryOutput + perPatch * k * decoderCross.keyValue)),
      attention(decoderCrossLayers * scores(decoder.hiddenSize, k)),
    ),
    head: weights(linear(decoder.hiddenSize, vocabSize)),
    patcher: sum(blocks(patcher, text.bytes), weights(linear(patcher.hiddenSize, vocabSize))),
  };
}

/** A Llama on the same text, FLOPs a token: its blocks and its head. */
export function llamaForwardFlops(
  block: Omit<TransformerConfig, 'window'>,
  { vocabSize, tokens }: { vocabSize: number; tokens: number },
): Flops {
  return sum(blocks({ ...block, window: null }, tokens), weights(linear(block.hiddenSize, vocabSize)));
}

/** How a part takes part in training. */
export type Training = 'trained' | 'frozen' | 'forward-only';

/**
 * FLOPs of a training step, from those of a forward pass. The backward pass of y = x·W needs the gradient of x and that of W, each as
 * costly as the forward product; attention's products have two activations, and both gradients. Hence three times the forward pass.
 * A frozen part passes gradients through and makes none for its weights: 2 times for those. Forward only: once.
 */
export function trainingFlops(forward: Flops, training: Training): number {
  if (training === 'forward-only') return totalFlops(forward);
  return (training === 'trained' ? 3 : 2) * forward.weights + 3 * forward.attention;
}

/** A training step in which everything but the patcher learns, and patches are given: FLOPs a byte. */
export function trainingFlopsPerByte(config: BltConfig, text: TextShape): number {
  const { encoder, global, decoder, head } = forwardFlops(config, text);
  return trainingFlops(sum(encoder, global, decoder, head), 'trained');
}

export function totalFlops(flops: Flops): number {
  return flops.weights + flops.attention;
}

/**
 * How many keys a position of a text sees on average: position p sees p + 1 of them, at most the window.
 * (1 + 2 + ... + W + W·(n − W)) / n
 */
export function meanVisibleKeys(positions: number, window: number | null): number {
  const reach = Math.min(positions, window ?? positions);
  return (reach * (reach + 1) * 0.5 + reach * (positions - reach)) / positions;
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

/** The projections of a cross-attention at one row: queries and output, keys and values. */
function crossWidths({ hiddenSize, heads, kvHeads }: TransformerConfig): { queryOutput: number; keyValue: number } {
  return {
    queryOutput: 2 * linear(hiddenSize, hiddenSize),
    keyValue: 2 * linear(hiddenSize, (hiddenSize / heads) * kvHeads),
  };
}

function linear(inputs: number, outputs: number): number {
  return 2 * inputs * outputs;
}

/** One query against `keys` keys, all heads: q·k, then the weighted sum of v. */
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
