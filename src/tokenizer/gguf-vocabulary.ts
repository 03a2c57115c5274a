/** @module Reads and checks the vocabulary in a GGUF file's key-values (gguf.md, "tokenizer"). */
import { ByteifyError } from '../errors.js';
import { booleanIn, type GgufValue, numberIn } from '../gguf/index.js';
import { counted } from '../ui/format.js';

export type KeyValues = ReadonlyMap<string, GgufValue>;

/** llama.cpp's token types (llama.h, llama_token_type). */
export const TOKEN_TYPES = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

export interface Vocabulary {
  /** Tokens by id, without duplicates. */
  readonly tokens: readonly string[];
  readonly ids: ReadonlyMap<string, number>;
  /** Token types by id; see TOKEN_TYPES. */
  readonly types: readonly number[];
}

const HINT = 'Use the transformers checkpoint of the model.';

/** Refuses the tokenizer but not the file, whose tensors may be valid. */
export function refuseTokenizer(what: string, hint = HINT): never {
  throw new ByteifyError(`The tokenizer in the GGUF file cannot be used: ${what}.`, { hint });
}

/** @param elementOf converts an element; returns null for an invalid one. */
function listOf<T>(keyValues: KeyValues, key: string, elementOf: (value: unknown) => T | null): readonly T[] | null {
  const value = keyValues.get(key);
  if (value === undefined) return null;
  const elements = Array.isArray(value) ? value.map(elementOf) : [null];
  return elements.every((element) => element !== null)
    ? elements
    : refuseTokenizer(`${key} is not a list of the expected type`);
}

const textIn = (value: unknown): string | null => (typeof value === 'string' ? value : null);

function orderedNumberIn(value: unknown): number | null {
  const number = numberIn(value);
  return Number.isNaN(number) ? null : number;
}

/** The list of texts under a key. @throws ByteifyError when it is absent or not a list of texts. */
export function textsOf(keyValues: KeyValues, key: string): readonly string[] {
  return listOf(keyValues, key, textIn) ?? refuseTokenizer(`it lacks ${key}`);
}

/** Numbers by token id; null when the file has none. */
function numbersOf(keyValues: KeyValues, key: string, count: number): readonly number[] | null {
  const values = listOf(keyValues, key, orderedNumberIn);
  if (values !== null && values.length !== count)
    refuseTokenizer(`${key} has ${counted(values.length, 'value')} for ${counted(count, 'token')}`);
  return values;
}

/** The score of each token, by id. @throws ByteifyError when they are absent, or their number differs from `count`. */
export function scoresOf(keyValues: KeyValues, count: number): readonly number[] {
  return numbersOf(keyValues, 'tokenizer.ggml.scores', count) ?? refuseTokenizer('it lacks tokenizer.ggml.scores');
}

/** The tokens with their ids and types. @throws ByteifyError when the list is absent, has a token twice, or does not match the types. */
export function vocabularyOf(keyValues: KeyValues): Vocabulary {
  const tokens = textsOf(keyValues, 'tokenizer.ggml.tokens');
  const ids = new Map<string, number>();
  for (const [id, token] of tokens.entries()) {
    if (ids.has(token)) refuseTokenizer(`tokens ${ids.get(token)} and ${id} are both ${JSON.stringify(token)}`);
    ids.set(token, id);
  }
  const types = numbersOf(keyValues, 'tokenizer.ggml.token_type', tokens.length);
  return { tokens, ids, types: types ?? tokens.map(() => TOKEN_TYPES.normal) };
}

/** The id under a key, or llama.cpp's default; null for none. @throws ByteifyError when it is not an id of the vocabulary. */
export function idOf(keyValues: KeyValues, key: string, fallback: number | null, count: number): number | null {
  const stored = keyValues.get(key) ?? fallback;
  if (stored === null) return null;
  const id = numberIn(stored);
  return id !== null && Number.isInteger(id) && id >= 0 && id < count
    ? id
    : refuseTokenizer(`${key} is ${id ?? 'not a number'}, but it has ${count} tokens`);
}

/** The boolean under a key, or llama.cpp's default. @throws ByteifyError for any other type. */
export function booleanOf(keyValues: KeyValues, key: string, fallback: boolean): boolean {
  return booleanIn(keyValues.get(key) ?? fallback) ?? refuseTokenizer(`${key} is neither true nor false`);
}
