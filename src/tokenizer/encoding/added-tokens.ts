/** @module Tokens that were added to a vocabulary: they are found in the text before anything else is. */
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
  /** Is no part of a longer word. */
  readonly single_word: boolean;
  /** Takes the spaces before it along, and those after it. */
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  /** Left to programs: in a text it is text. */
  readonly special: boolean;
  /** Is looked for in the text after it was normalized. */
  readonly normalized: boolean;
}

/** @throws ByteifyError through `refuse` for entries without id or content. */
export function readAddedTokens(json: unknown, refuse: Refuse): AddedToken[] {
  const parsed = schema.safeParse(json ?? []);
  if (!parsed.success) return refuse('its added_tokens have entries without id or content, or with wrong ones');
  return parsed.data.map((token) => ({ ...token, normalized: token.normalized ?? !token.special }));
}

/**
 * The Rust library ignores the ids of the file: a content that the vocabulary has keeps its id there, and others are counted on from the
 * vocabulary's size. A file that says something else means two things at once.
 * @throws ByteifyError through `refuse` for ids that differ from those.
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
      const why = known === undefined ? 'the vocabulary ends before' : 'its vocabulary gives it';
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

/** UTF-16 units of one character at most: enough to see what kind a neighbour is. */
const CHARACTER_UNITS = 2;

function isInsideWord(text: string, start: number, stop: number): boolean {
  const before = text.slice(Math.max(0, start - CHARACTER_UNITS), start);
  return ENDS_WORD.test(before) || BEGINS_WORD.test(text.slice(stop, stop + CHARACTER_UNITS));
}

/**
 * @param tokens with the text that each is looked for as
 * @returns what cuts a text at the leftmost, longest of them (added_vocabulary.rs, find_matches)
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

/** Cuts a text into added tokens and what is between them, normalized. */
export function addedTokenSplitter(added: readonly AddedToken[], normalize: Normalizer): (text: string) => Section[] {
  const plain = splitterOf(added.flatMap((token) => (token.normalized ? [] : [{ text: token.content, token }])));
  const normalized = splitterOf(
    added.flatMap((token) => (token.normalized ? [{ text: normalize(token.content), token }] : [])),
  );
  return (text) =>
    plain(text).flatMap((section) => (typeof section === 'number' ? [section] : normalized(normalize(section))));
}
