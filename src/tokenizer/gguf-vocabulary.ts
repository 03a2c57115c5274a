/** @module The vocabulary in a GGUF file's key-values (gguf.md, "tokenizer"), checked. */
import { ByteifyError } from '../errors.js';
import { booleanIn, type GgufValue, numberIn } from '../gguf/index.js';

export type KeyValues = ReadonlyMap<string, GgufValue>;

/** llama.cpp's token types (llama.h, llama_token_type). */
export const TOKEN_TYPES = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const;

export interface Vocabulary {
  /** By id; none twice. */
  readonly tokens: readonly string[];
  readonly ids: ReadonlyMap<string, number>;
  /** By id: one of TOKEN_TYPES. */
  readonly types: readonly number[];
}

const HINT = 'Use the transformers checkpoint of the model.';

/** A refusal of the tokenizer, not of the file: its tensors may be sound. */
export function refuseTokenizer(what: string, hint = HINT): never {
  throw new ByteifyError(`The tokenizer in the GGUF file cannot be used: ${what}.`, { hint });
}

/** @param elementOf the element as it is wanted, or null for what is none. */
function listOf<T>(keyValues: KeyValues, key: string, elementOf: (value: unknown) => T | null): readonly T[] | null {
  const value = keyValues.get(key);
  if (value === undefined) return null;
  const elements = Array.isArray(value) ? value.map(elementOf) : [null];
  return elements.every((element) => element !== null)
    ? elements
    : refuseTokenizer(`${key} is not the list it must be`);
}

const textIn = (value: unknown): string | null => (typeof value === 'string' ? value : null);

function orderedNumberIn(value: unknown): number | null {
  const number = numberIn(value);
  return Number.isNaN(number) ? null : number;
}

/** The list of texts under a key. @throws ByteifyError when it is absent, or not one. */
export function textsOf(keyValues: KeyValues, key: string): readonly string[] {
  return listOf(keyValues, key, textIn) ?? refuseTokenizer(`it lacks ${key}`);
}

/** Numbers by token id; null when the file has none. */
function numbersOf(keyValues: KeyValues, key: string, count: number): readonly number[] | null {
  const values = listOf(keyValues, key, orderedNumberIn);
  if (values !== null && values.length !== count)
    refuseTokenizer(`${key} has ${values.length} entries for ${count} tokens`);
  return values;
}

/** The score of each token, by id. @throws ByteifyError when they are absent, or not one a token. */
export function scoresOf(keyValues: KeyValues, count: number): readonly number[] {
  return numbersOf(keyValues, 'tokenizer.ggml.scores', count) ?? refuseTokenizer('it lacks tokenizer.ggml.scores');
}

/** The tokens with their ids and types. @throws ByteifyError when the list is no vocabulary: absent, a token twice, types that do not match. */
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

/** The id under a key, or the one that llama.cpp takes without it; null for none. */
export function idOf(keyValues: KeyValues, key: string, fallback: number | null, count: number): number | null {
  const stored = keyValues.get(key) ?? fallback;
  if (stored === null) return null;
  const id = numberIn(stored);
  return id !== null && Number.isInteger(id) && id >= 0 && id < count
    ? id
    : refuseTokenizer(`${key} is ${id ?? 'no number'}, and it has ${count} tokens`);
}

/** The truth under a key, or the one that llama.cpp takes without it. @throws ByteifyError for what is neither true nor false. */
export function truthOf(keyValues: KeyValues, key: string, fallback: boolean): boolean {
  return booleanIn(keyValues.get(key) ?? fallback) ?? refuseTokenizer(`${key} is neither true nor false`);
}
