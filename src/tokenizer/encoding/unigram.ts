/**
 * @module Unigram encoding of one word: the tokens whose scores have the highest sum, as in the Rust library (models/unigram/model.rs,
 * encode_optimized), with the same order of additions and the same choice in a tie.
 */
import { z } from 'zod';
import { byteToken } from './byte-tokens.js';
import type { Model } from './model.js';
import type { Refuse } from './refusal.js';

const schema = z.object({
  unk_id: z.int().min(0).nullish(),
  byte_fallback: z.boolean().nullish(),
  vocab: z.array(z.tuple([z.string(), z.number()])).min(1),
});

/** The penalty of an unknown character relative to the least likely token. */
const UNKNOWN_PENALTY = 10;

/** Marks a prefix of a token that is not itself a token. */
const PREFIX = -1;

/** The best tokens for a text up to some position. */
interface Path {
  readonly score: number;
  /** The start of the last token. */
  readonly start: number;
  readonly unknown: boolean;
}

/** Ids by token, and PREFIX for every other prefix of a token. @param left tokens to leave out */
function prefixTree(ids: ReadonlyMap<string, number>, left: ReadonlySet<string>): Map<string, number> {
  const tree = new Map<string, number>();
  for (const [token, id] of ids) {
    if (left.has(token)) continue;
    for (let length = 1; length < token.length; length++) {
      const prefix = token.slice(0, length);
      if (!tree.has(prefix)) tree.set(prefix, PREFIX);
    }
    tree.set(token, id);
  }
  return tree;
}

/**
 * Reads a Unigram model.
 * @param special contents to which no text is encoded: SentencePiece also excludes its control tokens from the search.
 * @throws ByteifyError through `refuse` when the vocabulary is broken, or has no unknown token.
 */
export function readUnigram(
  config: Readonly<Record<string, unknown>>,
  special: ReadonlySet<string>,
  refuse: Refuse,
): Model {
  const parsed = schema.safeParse(config);
  if (!parsed.success) return refuse(`its model has an invalid ${parsed.error.issues[0]!.path.join('.')}`);
  const { vocab, unk_id: unknownId, byte_fallback: fallsBack } = parsed.data;
  if (unknownId === null || unknownId === undefined || unknownId >= vocab.length)
    return refuse(`its model’s unk_id ${unknownId ?? 'is missing'}${unknownId == null ? '' : ' is not a token'}`);
  const scores = vocab.map(([, score]) => score);
  const ids = new Map(vocab.map(([token], id) => [token, id]));
  const unknownScore =
    scores.reduce((least, score) => Math.min(least, score), Number.POSITIVE_INFINITY) - UNKNOWN_PENALTY;
  const tree = prefixTree(ids, special);

  /** The best path to each position of a word, in UTF-16 units. */
  function bestPaths(word: string): (Path | undefined)[] {
    const paths: (Path | undefined)[] = new Array(word.length + 1).fill(undefined);
    const offer = (end: number, path: Path) => {
      const known = paths[end];
      if (known === undefined || path.score > known.score) paths[end] = path;
    };
    for (let start = 0; start < word.length; ) {
      const before = paths[start]?.score ?? 0;
      const width = word.codePointAt(start)! > 0xffff ? 2 : 1;
      let isKnown = false;
      for (let end = start + 1; end <= word.length; end++) {
        const id = tree.get(word.slice(start, end));
        if (id === undefined) break;
        if (id === PREFIX) continue;
        offer(end, { score: scores[id]! + before, start, unknown: id === unknownId });
        isKnown ||= end === start + width;
      }
      if (!isKnown) offer(start + width, { score: unknownScore + before, start, unknown: true });
      start += width;
    }
    return paths;
  }

  /** Tokens in order; adjacent unknown characters are one token. */
  function tokensOf(word: string): string[] {
    const paths = bestPaths(word);
    const tokens: string[] = [];
    let joins = false;
    for (let end = word.length; end > 0; ) {
      const { start, unknown } = paths[end]!;
      const token = word.slice(start, end);
      if (joins && unknown) tokens[tokens.length - 1] = token + tokens.at(-1)!;
      else tokens.push(token);
      joins = unknown;
      end = start;
    }
    return tokens.reverse();
  }

  function idsOf(token: string): readonly number[] {
    const id = special.has(token) ? undefined : ids.get(token);
    if (id !== undefined) return [id];
    const bytes = fallsBack === true ? Array.from(Buffer.from(token), (byte) => ids.get(byteToken(byte))) : [undefined];
    return bytes.includes(undefined) ? [unknownId!] : (bytes as number[]);
  }

  return { ids, encode: (word) => tokensOf(word).flatMap(idsOf) };
}
