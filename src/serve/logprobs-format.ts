/**
 * @module Log-probabilities in OpenAI's two formats. A token is a byte: written as its character if it is ASCII, else as `bytes:\\xNN`, which is how
 * OpenAI spells bytes that are no UTF-8 by themselves.
 */
import { BYTE_OFFSET } from '../blt/index.js';
import { isContinuation } from '../data/index.js';
import type { IdLogprob, Logprob } from '../generate/index.js';
import { specialContent } from '../tokenizer/index.js';

/** An id of a prompt or of a text; the first id of a prompt has no log-probability. */
export type Entry = Logprob | { readonly id: number; readonly logprob: null; readonly top: readonly [] };

/** Formats the entries of one text in order. */
export type LogprobsFormat = (entries: readonly Entry[]) => object;

const FIRST_BEYOND_ASCII = 0x80;

/** The text of an id; every id has its own. */
export function tokenOf(id: number): string {
  const special = specialContent(id);
  if (special !== null) return special;
  const byte = id - BYTE_OFFSET;
  return byte < FIRST_BEYOND_ASCII ? String.fromCharCode(byte) : `bytes:\\x${byte.toString(16).padStart(2, '0')}`;
}

/** The likeliest ids and the id itself, by their texts. */
const topOf = ({ id, logprob, top }: Logprob): Record<string, number> =>
  Object.fromEntries([...top, { id, logprob }].map((one) => [tokenOf(one.id), one.logprob]));

/** Of `/v1/completions`. `text_offset` counts characters of the text, as Python does; special tokens have none. */
export function completionLogprobs(): LogprobsFormat {
  let characters = 0;
  /** The place of the character to which an id belongs. */
  const offsetOf = ({ id }: Entry): number => {
    if (id < BYTE_OFFSET) return characters;
    if (isContinuation(id - BYTE_OFFSET)) return Math.max(0, characters - 1);
    return characters++;
  };
  return (entries) => ({
    tokens: entries.map(({ id }) => tokenOf(id)),
    token_logprobs: entries.map(({ logprob }) => logprob),
    top_logprobs: entries.map((entry) => (entry.logprob === null ? null : topOf(entry))),
    text_offset: entries.map(offsetOf),
  });
}

const bytesOf = (id: number): number[] => (id < BYTE_OFFSET ? [...Buffer.from(tokenOf(id))] : [id - BYTE_OFFSET]);

const chatEntry = ({ id, logprob }: IdLogprob) => ({ token: tokenOf(id), logprob, bytes: bytesOf(id) });

/** Of `/v1/chat/completions`. */
export function chatLogprobs(): LogprobsFormat {
  return (entries) => ({
    content: entries
      .filter((entry) => entry.logprob !== null)
      .map((entry) => ({ ...chatEntry(entry), top_logprobs: entry.top.map(chatEntry) })),
    refusal: null,
  });
}
