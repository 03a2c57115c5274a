/** @module Mends a difference of @huggingface/tokenizers 0.2.0 from the Rust library: its Digits pre-tokenizer knows ASCII digits only. */

type Part = Readonly<Record<string, unknown>>;

const isPart = (value: unknown): value is Part => typeof value === 'object' && value !== null;

/** A pre-tokenizer in which each Digits is the Split that does what Digits does in Rust: every kind of number, `½` and `٣` included. */
export function withUnicodeDigits(preTokenizer: unknown): unknown {
  if (!isPart(preTokenizer)) return preTokenizer;
  const { type, individual_digits: individual, pretokenizers } = preTokenizer;
  if (type === 'Digits') {
    const pattern = { Regex: individual === true ? '\\p{N}' : '\\p{N}+' };
    return { type: 'Split', pattern, behavior: 'Isolated', invert: false };
  }
  return Array.isArray(pretokenizers)
    ? { ...preTokenizer, pretokenizers: pretokenizers.map(withUnicodeDigits) }
    : preTokenizer;
}
