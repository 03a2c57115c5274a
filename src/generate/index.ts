/** @module Text generation with a BLT: sampling, stop strings, chat, several texts at once. */
export { type Generator, type GeneratorOptions, type GeneratorState, openGenerator } from './generator.js';
export type { IdLogprob, Logprob } from './logprobs.js';
export { type ChatPrompts, openChatPrompts, type Prompt, requireChat, textPrompt } from './prompt.js';
export type { WantedLogprobs } from './prompt-logprobs.js';
export { PLAIN_SAMPLING, type Sampling } from './sampling.js';
export type { FinishReason, GenerationRequest, WrittenBytes } from './sequence.js';
export { createShownText, escapedByte, replacedByte, type ShownText } from './shown-text.js';
