/** @module A tokenizer.json's encoding, as the Rust library has it. */
export type { AddedToken } from './added-tokens.js';
export { createEncoder, type Encoder } from './encoder.js';
export { unknownExpressionsIn } from './expressions.js';
export { refuseTokenizer } from './refusal.js';
