/** @module The source's tokenizer: text to its token ids. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { ByteifyError } from '../errors.js';

export interface SourceTokenizer {
  /** Ids of a text without any special token; `<|...|>` written in the text is text. */
  encode(text: string): number[];
  /** The id that a text begins after, or null when the tokenizer names none. */
  readonly bosId: number | null;
}

type Json = Record<string, unknown>;

async function readJson(folder: string, name: string): Promise<Json> {
  const path = join(folder, name);
  const text = await readFile(path, 'utf8').catch((cause) => {
    throw new ByteifyError(`${folder} holds no ${name}.`, {
      hint: 'The source’s tokenizer is needed to compare with it.',
      cause,
    });
  });
  try {
    return JSON.parse(text) as Json;
  } catch (cause) {
    throw new ByteifyError(`${path} is not JSON.`, { cause });
  }
}

/** The text of a special token: a string, or an object with one. */
function contentOf(token: unknown): string | null {
  if (typeof token === 'string') return token;
  const content = (token as { content?: unknown } | null | undefined)?.content;
  return typeof content === 'string' ? content : null;
}

/**
 * @param folder holds tokenizer.json and tokenizer_config.json.
 * @throws ByteifyError when one is missing or cannot be used.
 */
export async function loadTokenizer(folder: string): Promise<SourceTokenizer> {
  const [json, config] = [await readJson(folder, 'tokenizer.json'), await readJson(folder, 'tokenizer_config.json')];
  const added = (json.added_tokens ?? []) as { id: number; content: string; special: boolean }[];
  // Left out so that a text about special tokens is text; they stay in the vocabulary.
  const plain = { ...json, added_tokens: added.filter(({ special }) => !special) };
  let tokenizer: Tokenizer;
  try {
    tokenizer = new Tokenizer(plain, config);
  } catch (cause) {
    throw new ByteifyError(`The tokenizer in ${folder} cannot be used: ${(cause as Error).message}.`, { cause });
  }
  const bos = contentOf(config.bos_token);
  const bosId =
    bos === null ? undefined : (added.find(({ content }) => content === bos)?.id ?? tokenizer.token_to_id(bos));
  return {
    encode: (text) => (text === '' ? [] : tokenizer.encode(text, { add_special_tokens: false }).ids),
    bosId: bosId ?? null,
  };
}
