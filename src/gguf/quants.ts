/**
 * @module Dequantisation of GGUF's block formats (ggml-common.h describes the blocks; values are scale x integer, with a minimum in
 * some). One function a type: it fills `out` from `at` with one block read at `from`.
 */
import { toFloat32 } from '../safetensors/index.js';

export interface Quantisation {
  readonly blockElements: number;
  readonly blockBytes: number;
  readonly dequantise: (block: DataView, from: number, out: Float32Array, at: number) => void;
}

const halfBytes = new Uint8Array(2);

function half(block: DataView, at: number): number {
  halfBytes[0] = block.getUint8(at);
  halfBytes[1] = block.getUint8(at + 1);
  return toFloat32(halfBytes, 'F16')[0]!;
}

const { fround } = Math;

/** 32 weights; nibbles of byte j are weights j and j + 16. `high` is the fifth bit of a weight, or 0. */
function fromNibbles(quants: number, high: (weight: number) => number, value: (quant: number) => number) {
  return (block: DataView, out: Float32Array, at: number) => {
    for (let j = 0; j < 16; j++) {
      const byte = block.getUint8(quants + j);
      out[at + j] = value((byte & 15) | high(j));
      out[at + j + 16] = value((byte >> 4) | high(j + 16));
    }
  };
}

const none = () => 0;
const fifthBit = (bits: number) => (weight: number) => ((bits >>> weight) & 1) << 4;

const Q4_0: Quantisation = {
  blockElements: 32,
  blockBytes: 18,
  dequantise(block, from, out, at) {
    const scale = half(block, from);
    fromNibbles(from + 2, none, (quant) => scale * (quant - 8))(block, out, at);
  },
};

const Q4_1: Quantisation = {
  blockElements: 32,
  blockBytes: 20,
  dequantise(block, from, out, at) {
    const [scale, minimum] = [half(block, from), half(block, from + 2)];
    fromNibbles(from + 4, none, (quant) => fround(scale * quant) + minimum)(block, out, at);
  },
};

const Q5_0: Quantisation = {
  blockElements: 32,
  blockBytes: 22,
  dequantise(block, from, out, at) {
    const scale = half(block, from);
    fromNibbles(from + 6, fifthBit(block.getUint32(from + 2, true)), (quant) => scale * (quant - 16))(block, out, at);
  },
};

const Q5_1: Quantisation = {
  blockElements: 32,
  blockBytes: 24,
  dequantise(block, from, out, at) {
    const [scale, minimum] = [half(block, from), half(block, from + 2)];
    fromNibbles(from + 8, fifthBit(block.getUint32(from + 4, true)), (quant) => fround(scale * quant) + minimum)(
      block,
      out,
      at,
    );
  },
};

const Q8_0: Quantisation = {
  blockElements: 32,
  blockBytes: 34,
  dequantise(block, from, out, at) {
    const scale = half(block, from);
    for (let j = 0; j < 32; j++) out[at + j] = scale * block.getInt8(from + 2 + j);
  },
};

/** 12 bytes hold eight 6-bit scales and eight 6-bit minimums: the first four of each plain, the others' high bits on top of them. */
function scaleAndMinimum(block: DataView, scales: number, group: number): [number, number] {
  const byte = (i: number) => block.getUint8(scales + i);
  if (group < 4) return [byte(group) & 63, byte(group + 4) & 63];
  return [(byte(group + 4) & 15) | ((byte(group - 4) >> 6) << 4), (byte(group + 4) >> 4) | ((byte(group) >> 6) << 4)];
}

/** 256 weights in eight groups of 32; groups 2i and 2i + 1 are the low and high nibbles of the same 32 bytes. */
function superBlock(
  block: DataView,
  parts: {
    scales: number;
    quants: number;
    scale: number;
    minimum: number;
    high: (group: number, weight: number) => number;
  },
  out: Float32Array,
  at: number,
): void {
  for (let group = 0; group < 8; group++) {
    const [scale, minimum] = scaleAndMinimum(block, parts.scales, group);
    const [step, offset] = [fround(parts.scale * scale), fround(parts.minimum * minimum)];
    const bytes = parts.quants + (group >> 1) * 32;
    for (let j = 0; j < 32; j++) {
      const byte = block.getUint8(bytes + j);
      const quant = (group % 2 === 0 ? byte & 15 : byte >> 4) | parts.high(group, j);
      out[at + group * 32 + j] = fround(step * quant) - offset;
    }
  }
}

const Q4_K: Quantisation = {
  blockElements: 256,
  blockBytes: 144,
  dequantise(block, from, out, at) {
    const [scale, minimum] = [half(block, from), half(block, from + 2)];
    superBlock(block, { scales: from + 4, quants: from + 16, scale, minimum, high: none }, out, at);
  },
};

const Q5_K: Quantisation = {
  blockElements: 256,
  blockBytes: 176,
  dequantise(block, from, out, at) {
    const [scale, minimum] = [half(block, from), half(block, from + 2)];
    const high = (group: number, weight: number) => ((block.getUint8(from + 16 + weight) >> group) & 1) << 4;
    superBlock(block, { scales: from + 4, quants: from + 48, scale, minimum, high }, out, at);
  },
};

const Q6_K: Quantisation = {
  blockElements: 256,
  blockBytes: 210,
  dequantise(block, from, out, at) {
    const [low, high, scales] = [from, from + 128, from + 192];
    const scale = half(block, from + 208);
    for (let i = 0; i < 256; i++) {
      // Halves of 128 weights; in each, four runs of 32 share 64 bytes of low nibbles and 32 bytes of high bit pairs.
      const [part, run, j] = [i >> 7, (i >> 5) & 3, i & 31];
      const byte = block.getUint8(low + part * 64 + (run & 1) * 32 + j);
      const nibble = run < 2 ? byte & 15 : byte >> 4;
      const pair = (block.getUint8(high + part * 32 + j) >> (2 * run)) & 3;
      out[at + i] = fround(scale * block.getInt8(scales + (i >> 4))) * ((nibble | (pair << 4)) - 32);
    }
  },
};

/** By the names that GGUF's tools print. */
export const QUANTISATIONS: Readonly<Record<string, Quantisation>> = { Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K, Q6_K };
