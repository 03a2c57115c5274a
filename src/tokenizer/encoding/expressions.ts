/** @module The expressions in the parts of a tokenizer.json, and whether they are known to end. */
import { PRE_TOKENIZERS } from '../pre-tokenizers.js';

/** Every `Regex` of a part and of the parts inside it. */
function expressionsIn(part: unknown): string[] {
  if (typeof part !== 'object' || part === null) return [];
  return Object.entries(part).flatMap(([key, value]: [string, unknown]) =>
    key === 'Regex' && typeof value === 'string' ? [value] : expressionsIn(value),
  );
}

/** Those of well-known models: GPT-2 in both spellings that files have, Qwen 2, and what GGUF files name. They take time in proportion to the text. */
const KNOWN: ReadonlySet<string> = new Set([
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
  "'(?:[sdmt]|ll|ve|re)| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+",
  ...expressionsIn([...PRE_TOKENIZERS.values()]),
]);

/** Expressions of a part that are not known: they alone can take time out of proportion to the text. */
export const unknownExpressionsIn = (part: unknown): string[] =>
  expressionsIn(part).filter((expression) => !KNOWN.has(expression));
