/** @module Measuring models. */
export { type SelfCheck, selfCheck } from './self-check.js';
