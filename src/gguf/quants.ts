/**
 * @module Dequantisation of GGUF's block formats (the block layouts are in ggml-common.h). A weight is scale x (integer - zero), plus a
 * minimum in some formats. No product here needs more than float32's 24 bits, so each number is rounded at most once, as in float32 code.
 */
import { halfValue } from '../safetensors/index.js';

export interface Quantisation {
  readonly blockElements: number;
  readonly blockBytes: number;
  /** Fills `out` from index `at` with the weights of the block that begins at byte `from`. */
  readonly dequantise: (bytes: Uint8Array, from: number, out: Float32Array, at: number) => void;
}

/** Adding it changes nothing, not even the sign of a zero. */
const NOTHING = -0;

function half(bytes: Uint8Array, at: number): number {
  return halfValue(bytes[at]! | (bytes[at + 1]! << 8));
}

function uint32(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

function int8(byte: number): number {
  return (byte << 24) >> 24;
}

/**
 * 32 weights with one scale. The nibbles of byte j belong to weights j and j + 16; bit i of `high` is the high bit of weight i.
 * The layout gives the byte offset of each part.
 */
function nibbles(layout: {
  readonly blockBytes: number;
  readonly quants: number;
  readonly zero: number;
  readonly high?: number;
  readonly minimum?: number;
}): Quantisation {
  const { blockBytes, quants, zero, high: highAt = -1, minimum: minimumAt = -1 } = layout;
  return {
    blockElements: 32,
    blockBytes,
    dequantise(bytes, from, out, at) {
      const scale = half(bytes, from);
      const minimum = minimumAt < 0 ? NOTHING : half(bytes, from + minimumAt);
      const high = highAt < 0 ? 0 : uint32(bytes, from + highAt);
      for (let j = 0; j < 16; j++) {
        const byte = bytes[from + quants + j]!;
        out[at + j] = scale * (((byte & 15) | (((high >>> j) & 1) << 4)) - zero) + minimum;
        out[at + j + 16] = scale * (((byte >> 4) | (((high >>> (j + 16)) & 1) << 4)) - zero) + minimum;
      }
    },
  };
}

const Q8_0: Quantisation = {
  blockElements: 32,
  blockBytes: 34,
  dequantise(bytes, from, out, at) {
    const scale = half(bytes, from);
    for (let j = 0; j < 32; j++) out[at + j] = scale * int8(bytes[from + 2 + j]!);
  },
};

/** 12 bytes from byte 4 on contain eight 6-bit scales and eight 6-bit minimums. The first four of each are stored plainly. The others have
 * their low nibbles in the last four bytes and their two high bits in the top bits of the first ones. */
const SCALES = 4;

/**
 * 256 weights in eight groups of 32. Groups 2i and 2i + 1 are the low and high nibbles of the same 32 bytes; bit g of byte j of `high`
 * is the high bit of weight j of group g.
 */
function groupsOf32(layout: {
  readonly blockBytes: number;
  readonly quants: number;
  readonly high?: number;
}): Quantisation {
  const { blockBytes, quants, high: highAt = -1 } = layout;
  return {
    blockElements: 256,
    blockBytes,
    dequantise(bytes, from, out, at) {
      const blockScale = half(bytes, from);
      const blockMinimum = half(bytes, from + 2);
      const scales = from + SCALES;
      for (let group = 0; group < 8; group++) {
        const [first, second] = [bytes[scales + (group & 3)]!, bytes[scales + (group & 3) + 4]!];
        const both = bytes[scales + (group & 3) + 8]!;
        const scale = blockScale * (group < 4 ? first & 63 : (both & 15) | ((first >> 6) << 4));
        const minimum = blockMinimum * (group < 4 ? second & 63 : (both >> 4) | ((second >> 6) << 4));
        const shift = (group & 1) * 4;
        const base = from + quants + (group >> 1) * 32;
        for (let j = 0; j < 32; j++) {
          const high = highAt < 0 ? 0 : ((bytes[from + highAt + j]! >> group) & 1) << 4;
          out[at + group * 32 + j] = scale * (((bytes[base + j]! >> shift) & 15) | high) - minimum;
        }
      }
    },
  };
}

/** 256 weights in 16 groups of 16. Each half of 128 is four runs of 32 that share 64 bytes of nibbles and 32 bytes of high bit pairs. */
const Q6_K: Quantisation = {
  blockElements: 256,
  blockBytes: 210,
  dequantise(bytes, from, out, at) {
    const [high, scales] = [from + 128, from + 192];
    const blockScale = half(bytes, from + 208);
    for (let group = 0; group < 16; group++) {
      const scale = blockScale * int8(bytes[scales + group]!);
      const [part, run, begin] = [group >> 3, (group >> 1) & 3, (group & 1) * 16];
      const lowBase = from + part * 64 + (run & 1) * 32;
      for (let j = begin; j < begin + 16; j++) {
        const nibble = (bytes[lowBase + j]! >> (run < 2 ? 0 : 4)) & 15;
        const pair = (bytes[high + part * 32 + j]! >> (2 * run)) & 3;
        out[at + part * 128 + run * 32 + j] = scale * ((nibble | (pair << 4)) - 32);
      }
    }
  },
};

/** By the names that GGUF's tools print. */
export const QUANTISATIONS: ReadonlyMap<string, Quantisation> = new Map([
  ['Q4_0', nibbles({ blockBytes: 18, quants: 2, zero: 8 })],
  ['Q4_1', nibbles({ blockBytes: 20, minimum: 2, quants: 4, zero: 0 })],
  ['Q5_0', nibbles({ blockBytes: 22, high: 2, quants: 6, zero: 16 })],
  ['Q5_1', nibbles({ blockBytes: 24, minimum: 2, high: 4, quants: 8, zero: 0 })],
  ['Q8_0', Q8_0],
  ['Q4_K', groupsOf32({ blockBytes: 144, quants: 16 })],
  ['Q5_K', groupsOf32({ blockBytes: 176, high: 16, quants: 48 })],
  ['Q6_K', Q6_K],
]);
