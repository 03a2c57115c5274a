/** @module The source's tokenizer: text to its token ids, and tokens to their bytes. */
import { join } from 'node:path';
import { Tokenizer } from '@huggingface/tokenizers';
import { ByteifyError, messageOf } from '../errors.js';
import { BROKEN, type Json, readJson } from './read-files.js';
import { partsOf, tokenBytesOf } from './token-bytes.js';
import { withUnicodeDigits } from './unicode-digits.js';

export interface SourceTokenizer {
  /** Ids of a text without any special token; `<|...|>` written in the text is text. */
  encode(text: string): number[];
  /** The text of ids: of their bytes together, which are U+FFFD where they are not UTF-8. Special tokens are written out. */
  decode(ids: readonly number[]): string;
  /**
   * The bytes that a token stands for: together, those of `encode(text)` are the text's UTF-8, after a space where the tokenizer puts
   * one before every text (SentencePiece). Special tokens give their written form.
   * @throws ByteifyError for an id that the vocabulary lacks.
   */
  tokenBytes(id: number): Uint8Array;
  /** Ids that text is made of: all but the special ones and those that stand for no bytes. Ascending. */
  readonly ordinaryIds: readonly number[];
  /** The highest id + 1, special tokens included. */
  readonly vocabSize: number;
  /** The id that a text begins after, or null when nothing names one. */
  readonly bosId: number | null;
  /** Whether the source was made to see BOS before every text. */
  readonly addsBos: boolean;
}

interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly special?: boolean;
}

function addedTokens(json: Json, folder: string): AddedToken[] {
  const added = json.added_tokens ?? [];
  const isToken = (token: Partial<AddedToken> | null) =>
    Number.isSafeInteger(token?.id) && token!.id! >= 0 && typeof token?.content === 'string';
  if (!Array.isArray(added) || !added.every(isToken))
    throw new ByteifyError(`${join(folder, 'tokenizer.json')} has added_tokens without id or content.`, {
      hint: BROKEN,
    });
  return added as AddedToken[];
}

/** The text of a special token: a string, or an object with one. */
function contentOf(token: unknown): string | null {
  if (typeof token === 'string') return token;
  const content = (token as { content?: unknown } | null | undefined)?.content;
  return typeof content === 'string' ? content : null;
}

/** Whether the post-processor puts BOS before a text, where tokenizer_config.json does not say. */
function beginsWith(bos: string, postProcessor: unknown): boolean {
  return partsOf(postProcessor).some(({ single, cls }) => {
    const first = Array.isArray(single) ? (single[0] as { SpecialToken?: { id?: unknown } } | undefined) : undefined;
    return first?.SpecialToken?.id === bos || (Array.isArray(cls) && cls[0] === bos);
  });
}

/** Contents by id. Tokens that are only added count too. */
function contentsOf(tokenizer: Tokenizer, added: readonly AddedToken[]): (string | undefined)[] {
  const contents: (string | undefined)[] = [];
  for (const [content, id] of tokenizer.get_vocab()) contents[id] = content;
  for (const { id, content } of added) contents[id] = content;
  return contents;
}

/** Whether the tokenizer puts a space before every text, which its decoder takes away again. */
function stripsSpace(decoder: unknown): boolean {
  return partsOf(decoder).some(
    ({ type, content, start, prepend_scheme: scheme, add_prefix_space: prefix }) =>
      (type === 'Strip' && content === ' ' && start === 1) ||
      (type === 'Metaspace' && scheme !== 'never' && prefix !== false),
  );
}

/**
 * @param folder holds tokenizer.json and, mostly, tokenizer_config.json and config.json.
 * @throws ByteifyError when tokenizer.json is missing, or a file cannot be used.
 */
export async function loadTokenizer(folder: string): Promise<SourceTokenizer> {
  const json = await readJson(folder, 'tokenizer.json');
  if (json === null) {
    throw new ByteifyError(`${folder} holds no tokenizer.json.`, {
      hint: 'The source’s tokenizer is needed to compare with it.',
    });
  }
  const config = (await readJson(folder, 'tokenizer_config.json')) ?? {};
  const added = addedTokens(json, folder);
  const tokenBytes = tokenBytesOf(json.decoder, folder);
  const addedIds = new Set(added.map(({ id }) => id));
  const specialIds = new Set(added.flatMap(({ id, special }) => (special === true ? [id] : [])));
  // Left out so that a text about special tokens is text; contentsOf knows them.
  const plain = {
    ...json,
    pre_tokenizer: withUnicodeDigits(json.pre_tokenizer),
    added_tokens: added.filter(({ special }) => special !== true),
  };
  let tokenizer: Tokenizer;
  try {
    tokenizer = new Tokenizer(plain, config);
  } catch (cause) {
    throw new ByteifyError(`The tokenizer in ${folder} cannot be used: ${messageOf(cause)}.`, { hint: BROKEN, cause });
  }
  const contents = contentsOf(tokenizer, added);
  const bytesOf = (id: number): Uint8Array => {
    const content = contents[id];
    if (content === undefined)
      throw new ByteifyError(`The tokenizer in ${folder} has no token ${id}.`, { hint: BROKEN });
    // Added tokens are found in the text as it is, before bytes get their stand-ins.
    return addedIds.has(id) ? new TextEncoder().encode(content) : tokenBytes(content);
  };
  const bos = contentOf(config.bos_token);
  const named = bos === null ? -1 : contents.indexOf(bos);
  const configured = named < 0 ? (await readJson(folder, 'config.json'))?.bos_token_id : named;
  const bosId = typeof configured === 'number' && contents[configured] !== undefined ? configured : null;
  const first = stripsSpace(json.decoder) ? 1 : 0;
  return {
    // The library throws on texts and lists of nothing.
    encode: (text) => (text === '' ? [] : tokenizer.encode(text, { add_special_tokens: false }).ids),
    decode(ids) {
      const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(Buffer.concat(ids.map(bytesOf)));
      return text.startsWith(' ') ? text.slice(first) : text;
    },
    tokenBytes: bytesOf,
    ordinaryIds: contents.flatMap((content, id) =>
      content === undefined || specialIds.has(id) || bytesOf(id).length === 0 ? [] : [id],
    ),
    vocabSize: contents.length,
    bosId,
    addsBos:
      bosId !== null &&
      (typeof config.add_bos_token === 'boolean'
        ? config.add_bos_token
        : beginsWith(contents[bosId]!, json.post_processor)),
  };
}
