/** @module Memory of a training stage, in bytes. An estimate from what must be there; the measured peak is a little above it. */

import type { BltConfig, TransformerConfig } from '../blt/index.js';
import type { TextShape } from './flops.js';

const FLOAT_BYTES = 4;

export interface TrainingMemory {
  readonly weightsBytes: number;
  readonly gradientsBytes: number;
  /** AdamW's two moments. */
  readonly momentsBytes: number;
  readonly activationsBytes: number;
}

/**
 * Everything is float32 while it is trained: a weight costs 4 bytes, a trained one 4 for its gradient and 8 for its moments.
 * @param params.usedParameters of the parts that run; the trained ones among them
 * @param params.activationFloats what the backward pass needs of one row, from `activationFloats`
 * @param params.rows whose activations are held at once
 */
export function trainingMemory(params: {
  usedParameters: number;
  trainedParameters: number;
  activationFloats: number;
  rows: number;
}): TrainingMemory {
  return {
    weightsBytes: FLOAT_BYTES * params.usedParameters,
    gradientsBytes: FLOAT_BYTES * params.trainedParameters,
    momentsBytes: 2 * FLOAT_BYTES * params.trainedParameters,
    activationsBytes: FLOAT_BYTES * params.activationFloats * params.rows,
  };
}

export function totalMemoryBytes(memory: TrainingMemory): number {
  return memory.weightsBytes + memory.gradientsBytes + memory.momentsBytes + memory.activationsBytes;
}

/**
 * Floats that the backward pass of one row of text keeps.
 * A block keeps, at each position, of width H, key/value width K, feed-forward width I and A heads over n positions:
 *   7 H   two inputs of norms, the two normed values, q before and after RoPE, the mix of values before o
 *   3 K   k before and after RoPE, v
 *   4 I   gate, silu(gate), up, their product
 *   A n   the softmax, over all n positions (masked ones are stored too)
 * A cross-attention keeps 3 H a query and H + 2 K a key; the logits keep two values for each of the 260 ids.
 */
export function activationFloats(config: BltConfig, text: TextShape, parts: 'patcher' | 'model'): number {
  const { bytes } = text;
  const logits = 2 * config.vocabSize * bytes;
  if (parts === 'patcher') return blocks(config.patcher, bytes) + logits;
  const { encoder, decoder, global, crossAttnK: k } = config;
  const patches = bytes / text.bytesPerPatch;
  const cross = (part: TransformerConfig, queries: number, keys: number) =>
    queries * 3 * part.hiddenSize + keys * (part.hiddenSize + 2 * keyValueSize(part));
  const decoderCrossLayers = decoder.crossAttnAllLayers ? decoder.layers : 1;
  return (
    blocks(encoder, bytes) +
    cross(encoder, patches * k, bytes) +
    blocks(global, patches) +
    blocks(decoder, bytes) +
    decoderCrossLayers * cross(decoder, bytes, patches * k) +
    logits
  );
}

function blocks(config: TransformerConfig, positions: number): number {
  const { hiddenSize, heads, intermediateSize, layers } = config;
  const aPosition = 7 * hiddenSize + 3 * keyValueSize(config) + 4 * intermediateSize + heads * positions;
  return layers * positions * aPosition;
}

function keyValueSize({ hiddenSize, heads, kvHeads }: TransformerConfig): number {
  return (hiddenSize / heads) * kvHeads;
}
