/** @module Measuring models. */
export { bitsOfDocuments, type DocumentBits } from './bits-of-documents.js';
export { type SelfCheck, selfCheck } from './self-check.js';
