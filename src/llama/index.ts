/** @module The source format: Llama checkpoints in transformers' format, and GGUF files. */
export { checkIndex } from './check-index.js';
export { type LlamaConfig, parseLlamaConfig } from './config.js';
export { type LlamaSource, openLlama } from './open.js';
export { readConfigJson } from './read-config.js';
export { halfOrder, interleavedOrder, reorderRows, rowsInHalfOrder } from './rotary-rows.js';
export { type LlamaTensor, llamaTensors } from './tensors.js';
