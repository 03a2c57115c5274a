import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { GgufValue } from '../../src/gguf/index.js';
import type { TokenizerFiles } from '../../src/tokenizer/index.js';

export interface Case {
  readonly text: string;
  /** The ids of the vocabulary's own library, without special tokens. */
  readonly ids: number[];
}

interface SentencePiece {
  readonly tokens: string[];
  readonly scores: number[];
  readonly types: number[];
  readonly cases: Case[];
}

interface ByteLevel {
  readonly tokens: string[];
  readonly types: number[];
  readonly merges: string[];
  /** By the name of the pre-tokenizer. */
  readonly cases: Record<string, Case[]>;
}

function readFixture<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../fixtures/tokenizer/${name}.json`, import.meta.url), 'utf8')) as T;
}

/** Made by the libraries sentencepiece and tokenizers (test/fixtures/tokenizer/make.py). */
export const sentencePiece = readFixture<SentencePiece>('sentencepiece');
export const byteLevel = readFixture<ByteLevel>('byte-level');
/** Rules that make `fi` of a ligature, `1/2` of ½, `Tokyo` of two characters, a space of a tab, nothing of a zero-width space, and more. */
export const { precompiled_charsmap: CHARSMAP } = readFixture<{ precompiled_charsmap: string }>('charsmap');

const named = (values: Record<string, GgufValue>) =>
  Object.entries(values).map(([key, value]) => [`tokenizer.${key}`, value] as const);

/** The key-values of a GGUF file with the SentencePiece vocabulary; `more` adds or replaces keys, given without `tokenizer.`. */
export function sentencePieceValues(more: Record<string, GgufValue> = {}): Map<string, GgufValue> {
  const { tokens, scores, types } = sentencePiece;
  const model = { 'ggml.model': 'llama', 'ggml.tokens': tokens, 'ggml.scores': scores, 'ggml.token_type': types };
  return new Map(named({ ...model, ...more }));
}

export function byteLevelValues(more: Record<string, GgufValue> = {}): Map<string, GgufValue> {
  const { tokens, types, merges } = byteLevel;
  const model = { 'ggml.model': 'gpt2', 'ggml.tokens': tokens, 'ggml.token_type': types, 'ggml.merges': merges };
  return new Map(named({ ...model, ...more }));
}

export async function writeTokenizer(
  folder: string,
  { tokenizerJson, tokenizerConfig }: TokenizerFiles,
): Promise<void> {
  await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(tokenizerJson));
  await writeFile(join(folder, 'tokenizer_config.json'), JSON.stringify(tokenizerConfig));
}
