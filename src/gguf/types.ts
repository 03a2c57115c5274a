/** @module GGUF's numbers for tensor types (ggml.h, ggml_type) and how each is stored. */
import type { Dtype } from '../safetensors/index.js';

/** Every numbered type, so that an error can name a type that is not supported. */
export const TENSOR_TYPES: Readonly<Record<number, string>> = {
  0: 'F32',
  1: 'F16',
  2: 'Q4_0',
  3: 'Q4_1',
  4: 'Q4_2 (removed from llama.cpp)',
  5: 'Q4_3 (removed from llama.cpp)',
  6: 'Q5_0',
  7: 'Q5_1',
  8: 'Q8_0',
  9: 'Q8_1',
  10: 'Q2_K',
  11: 'Q3_K',
  12: 'Q4_K',
  13: 'Q5_K',
  14: 'Q6_K',
  15: 'Q8_K',
  16: 'IQ2_XXS',
  17: 'IQ2_XS',
  18: 'IQ3_XXS',
  19: 'IQ1_S',
  20: 'IQ4_NL',
  21: 'IQ3_S',
  22: 'IQ2_S',
  23: 'IQ4_XS',
  24: 'I8',
  25: 'I16',
  26: 'I32',
  27: 'I64',
  28: 'F64',
  29: 'IQ1_M',
  30: 'BF16',
  31: 'Q4_0_4_4 (removed from llama.cpp)',
  32: 'Q4_0_4_8 (removed from llama.cpp)',
  33: 'Q4_0_8_8 (removed from llama.cpp)',
  34: 'TQ1_0',
  35: 'TQ2_0',
  36: 'IQ4_NL_4_4 (removed from llama.cpp)',
  37: 'IQ4_NL_4_8 (removed from llama.cpp)',
  38: 'IQ4_NL_8_8 (removed from llama.cpp)',
  39: 'MXFP4',
  40: 'NVFP4',
  41: 'Q1_0',
};

/** Types that are read as stored. */
export const PLAIN_TYPES: ReadonlyMap<string, Dtype> = new Map([
  ['F32', 'F32'],
  ['F16', 'F16'],
  ['BF16', 'BF16'],
]);

/** The quantised ones among the types of tensors, each once, the most frequent first. */
export function quantisedTypes(types: Iterable<string>): string[] {
  const counts = new Map<string, number>();
  for (const type of types) if (!PLAIN_TYPES.has(type)) counts.set(type, (counts.get(type) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a).map(([type]) => type);
}
