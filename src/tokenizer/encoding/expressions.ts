/** @module Finds the regular expressions in a tokenizer.json that are not known to run in linear time. */
import { PRE_TOKENIZERS } from '../pre-tokenizers.js';

/** Every `Regex` in a part and in the parts inside it. */
function expressionsIn(part: unknown): string[] {
  if (typeof part !== 'object' || part === null) return [];
  return Object.entries(part).flatMap(([key, value]: [string, unknown]) =>
    key === 'Regex' && typeof value === 'string' ? [value] : expressionsIn(value),
  );
}

/** The expressions of well-known models: GPT-2 in both spellings that occur, Qwen 2, and those that GGUF files name. They run in linear time. */
const KNOWN: ReadonlySet<string> = new Set([
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
  "'(?:[sdmt]|ll|ve|re)| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
  ...expressionsIn([...PRE_TOKENIZERS.values()]),
]);

/** The other expressions in a part, which may take more than linear time. */
export const unknownExpressionsIn = (part: unknown): string[] =>
  expressionsIn(part).filter((expression) => !KNOWN.has(expression));
