/** @module Encodes text with a tokenizer.json, as the Rust library does. */
export type { AddedToken } from './added-tokens.js';
export { createEncoder, type Encoder } from './encoder.js';
export { unknownExpressionsIn } from './expressions.js';
export { refuseTokenizer } from './refusal.js';
