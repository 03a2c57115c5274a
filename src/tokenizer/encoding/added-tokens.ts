/** @module Added tokens of a vocabulary, which are found in the text before anything else. */
import { z } from 'zod';
import type { Normalizer } from './normalizers.js';
import { escapedPattern } from './patterns.js';
import { MAXIMUM_TOKENS, type Refuse } from './refusal.js';

const schema = z.array(
  z.object({
    id: z.int().min(0).lt(MAXIMUM_TOKENS),
    content: z.string(),
    single_word: z.boolean().default(false),
    lstrip: z.boolean().default(false),
    rstrip: z.boolean().default(false),
    special: z.boolean().default(false),
    normalized: z.boolean().optional(),
  }),
);

export interface AddedToken {
  readonly id: number;
  readonly content: string;
  /** Whether the token must not be part of a longer word. */
  readonly single_word: boolean;
  /** Whether the token includes the spaces before it (`lstrip`) and after it (`rstrip`). */
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  /** Whether only programs produce the token: in a text, its content is text. */
  readonly special: boolean;
  /** Whether the token is matched in the normalized text. */
  readonly normalized: boolean;
}

/** Reads the `added_tokens` of a tokenizer.json. @throws ByteifyError through `refuse` for entries without id or content. */
export function readAddedTokens(json: unknown, refuse: Refuse): AddedToken[] {
  const parsed = schema.safeParse(json ?? []);
  if (!parsed.success) return refuse('its added_tokens have entries whose id or content is missing or invalid');
  return parsed.data.map((token) => ({ ...token, normalized: token.normalized ?? !token.special }));
}

/**
 * Checks the ids of added tokens. The Rust library ignores the ids in the file: a content in the vocabulary keeps its id there, and others get
 * consecutive ids from the vocabulary's size on. A file with other ids is ambiguous.
 * @throws ByteifyError through `refuse` for ids that differ from the library's.
 */
export function checkAddedIds(
  added: readonly AddedToken[],
  vocabulary: ReadonlyMap<string, number>,
  refuse: Refuse,
): void {
  const given = new Map<string, number>();
  let next = vocabulary.size;
  for (const { id, content } of added) {
    if (given.has(content) || content === '') continue;
    const known = vocabulary.get(content);
    const expected = known ?? next;
    if (id !== expected) {
      const why = known === undefined ? 'the vocabulary ends at' : 'its vocabulary gives it';
      refuse(`its added token ${JSON.stringify(content)} has the id ${id}, where ${why} ${expected}`);
    }
    given.set(content, id);
    if (id >= next) next = id + 1;
  }
}

/** A stretch of text, or the id of an added token. */
export type Section = string | number;

const BEGINS_WORD = /^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u;
const ENDS_WORD = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]$/u;

const isSpace = (character: string | undefined) => character !== undefined && /\p{White_Space}/u.test(character);

/** The most UTF-16 units of one character: enough to tell the kind of an adjacent character. */
const CHARACTER_UNITS = 2;

function isInsideWord(text: string, start: number, stop: number): boolean {
  const before = text.slice(Math.max(0, start - CHARACTER_UNITS), start);
  return ENDS_WORD.test(before) || BEGINS_WORD.test(text.slice(stop, stop + CHARACTER_UNITS));
}

/**
 * @param tokens the added tokens, each with the text to match
 * @returns a function that splits a text at the leftmost, longest match (added_vocabulary.rs, find_matches)
 */
function splitterOf(
  tokens: readonly { readonly text: string; readonly token: AddedToken }[],
): (text: string) => Section[] {
  const byText = new Map(tokens.filter(({ text }) => text !== '').map(({ text, token }) => [text, token]));
  if (byText.size === 0) return (text) => [text];
  const longestFirst = [...byText.keys()].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(longestFirst.map(escapedPattern).join('|'), 'gu');
  return (text) => {
    const sections: Section[] = [];
    let from = 0;
    for (const match of text.matchAll(pattern)) {
      const token = byText.get(match[0])!;
      let start = match.index;
      let stop = start + match[0].length;
      if (token.special || (token.single_word && isInsideWord(text, start, stop))) continue;
      while (token.lstrip && start > from && isSpace(text[start - 1])) start--;
      while (token.rstrip && isSpace(text[stop])) stop++;
      if (start > from) sections.push(text.slice(from, start));
      sections.push(token.id);
      from = stop;
    }
    if (from < text.length) sections.push(text.slice(from));
    return sections;
  };
}

/** Returns a function that splits a text into added tokens and the normalized text between them. */
export function addedTokenSplitter(added: readonly AddedToken[], normalize: Normalizer): (text: string) => Section[] {
  const plain = splitterOf(added.flatMap((token) => (token.normalized ? [] : [{ text: token.content, token }])));
  const normalized = splitterOf(
    added.flatMap((token) => (token.normalized ? [{ text: normalize(token.content), token }] : [])),
  );
  return (text) =>
    plain(text).flatMap((section) => (typeof section === 'number' ? [section] : normalized(normalize(section))));
}
