/** @module GGUF files: key-values, tensors, dequantisation. */
export type { GgufValue } from './header.js';
export { type GgufFile, openGguf } from './open.js';
export { alikeIn, booleanIn, numberIn } from './values.js';
