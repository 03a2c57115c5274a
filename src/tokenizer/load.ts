/** @module Loads the source's tokenizer, which maps text to token ids, and tokens to their bytes. */
import { join } from 'node:path';
import { ByteifyError } from '../errors.js';
import { createEncoder, type Encoder } from './encoding/encoder.js';
import { refuseTokenizer } from './encoding/refusal.js';
import { BROKEN, type Json, readJson } from './read-files.js';
import { partsOf, tokenBytesOf } from './token-bytes.js';

export interface SourceTokenizer {
  /** Ids of a text, without special tokens; `<|...|>` written in the text is treated as text. */
  encode(text: string): number[];
  /** Decodes the concatenated bytes of the ids; invalid UTF-8 becomes U+FFFD. Special tokens are written out. */
  decode(ids: readonly number[]): string;
  /**
   * Whether ids decode to the text: a tokenizer may have replaced unknown characters by <unk>, or changed case. A ▁ in the text may decode to a
   * space.
   */
  spells(text: string, ids: readonly number[]): boolean;
  /**
   * The bytes of a token. Those of `encode(text)` concatenate to the text's UTF-8, preceded by a space if the tokenizer puts one before every
   * text (SentencePiece). Special tokens give their written form.
   * @throws ByteifyError for an id that the vocabulary lacks.
   */
  tokenBytes(id: number): Uint8Array;
  /** Ids to which text can be encoded: all except special ones and those without bytes, ascending. */
  readonly ordinaryIds: readonly number[];
  /** Whether the content is that of a token, special ones included. */
  has(content: string): boolean;
  /** The highest id + 1, special tokens included. */
  readonly vocabSize: number;
  /** The id of BOS, or null if no file names it. */
  readonly bosId: number | null;
  /** Whether the tokenizer puts BOS before every text. */
  readonly addsBos: boolean;
}

/** The text of a special token: a string, or an object with one. */
export function contentOf(token: unknown): string | null {
  if (typeof token === 'string') return token;
  const content = (token as { content?: unknown } | null | undefined)?.content;
  return typeof content === 'string' ? content : null;
}

/** Whether the post-processor puts BOS before a text, for a tokenizer_config.json that does not say. */
function beginsWith(bos: string, postProcessor: unknown): boolean {
  return partsOf(postProcessor).some(({ single, cls }) => {
    const first = Array.isArray(single) ? (single[0] as { SpecialToken?: { id?: unknown } } | undefined) : undefined;
    return first?.SpecialToken?.id === bos || (Array.isArray(cls) && cls[0] === bos);
  });
}

/** Contents by id, including those of added tokens. */
function contentsOf({ vocabulary, added }: Encoder): (string | undefined)[] {
  const contents: (string | undefined)[] = [];
  for (const [content, id] of vocabulary) contents[id] = content;
  for (const { id, content } of added) contents[id] = content;
  return contents;
}

/** Whether the tokenizer puts a space before every text, which its decoder removes. */
function stripsSpace(decoder: unknown): boolean {
  return partsOf(decoder).some(
    ({ type, content, start, prepend_scheme: scheme, add_prefix_space: prefix }) =>
      (type === 'Strip' && content === ' ' && start === 1) ||
      (type === 'Metaspace' && scheme !== 'never' && prefix !== false),
  );
}

/** The parsed files that describe a tokenizer. */
export interface TokenizerSources {
  readonly tokenizerJson: Readonly<Json>;
  readonly tokenizerConfig: Readonly<Json>;
  /** The model's config.json, which may name BOS where the tokenizer's own files do not. */
  readonly modelConfig: Readonly<Json>;
}

/** Creates a tokenizer from its files. @param path of tokenizer.json, for errors. @throws ByteifyError when it is broken or not supported. */
export function createTokenizer(sources: TokenizerSources, path: string): SourceTokenizer {
  const { tokenizerJson: json, tokenizerConfig: config, modelConfig } = sources;
  const refuse = refuseTokenizer(path);
  const tokenBytes = tokenBytesOf(json.decoder, path);
  const encoder = createEncoder(json, refuse);
  const addedIds = new Set(encoder.added.map(({ id }) => id));
  const specialIds = new Set(encoder.added.flatMap(({ id, special }) => (special ? [id] : [])));
  const contents = contentsOf(encoder);
  const known = new Set(contents);
  const bytesOf = (id: number): Uint8Array => {
    const content = contents[id];
    if (content === undefined) throw new ByteifyError(`The tokenizer ${path} has no token ${id}.`, { hint: BROKEN });
    // Added tokens are matched in the text itself, before bytes are mapped to characters.
    return addedIds.has(id) ? new TextEncoder().encode(content) : tokenBytes(content);
  };
  const bos = contentOf(config.bos_token);
  const named = bos === null ? -1 : contents.indexOf(bos);
  const configured = named < 0 ? modelConfig.bos_token_id : named;
  const bosId = typeof configured === 'number' && contents[configured] !== undefined ? configured : null;
  const first = stripsSpace(json.decoder) ? 1 : 0;
  const decode = (ids: readonly number[]): string => {
    const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(Buffer.concat(ids.map(bytesOf)));
    return text.startsWith(' ') ? text.slice(first) : text;
  };
  return {
    encode: (text) => encoder.encode(text),
    decode,
    spells: (text, ids) => decode(ids).replaceAll('▁', ' ') === text.replaceAll('▁', ' '),
    tokenBytes: bytesOf,
    ordinaryIds: contents.flatMap((content, id) =>
      content === undefined || specialIds.has(id) || bytesOf(id).length === 0 ? [] : [id],
    ),
    has: (content) => known.has(content),
    vocabSize: contents.length,
    bosId,
    addsBos:
      bosId !== null &&
      (typeof config.add_bos_token === 'boolean'
        ? config.add_bos_token
        : beginsWith(contents[bosId]!, json.post_processor)),
  };
}

/** Reads the files that describe a tokenizer. @throws ByteifyError when tokenizer.json is missing, or a file is not a JSON object. */
export async function readTokenizerSources(folder: string): Promise<TokenizerSources> {
  const tokenizerJson = await readJson(folder, 'tokenizer.json');
  if (tokenizerJson === null) {
    throw new ByteifyError(`${folder} contains no tokenizer.json.`, {
      hint: 'The source’s tokenizer is needed to compare the BLT with its source.',
    });
  }
  return {
    tokenizerJson,
    tokenizerConfig: (await readJson(folder, 'tokenizer_config.json')) ?? {},
    modelConfig: (await readJson(folder, 'config.json')) ?? {},
  };
}

/**
 * Loads the tokenizer of a model's folder.
 * @param folder contains tokenizer.json and usually tokenizer_config.json and config.json.
 * @throws ByteifyError when tokenizer.json is missing, or a file cannot be used.
 */
export async function loadTokenizer(folder: string): Promise<SourceTokenizer> {
  return createTokenizer(await readTokenizerSources(folder), join(folder, 'tokenizer.json'));
}
