/** @module GGUF files: key-values, tensors, dequantisation. */

export { type GgufFile, openGguf } from './open.js';
export { quantisedTypes } from './types.js';
export type { GgufValue } from './values.js';
export { alikeIn, booleanIn, numberIn } from './values.js';
