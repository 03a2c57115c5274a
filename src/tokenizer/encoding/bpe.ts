/** @module Byte-pair encoding of one word, with the merges of @huggingface/tokenizers and the Rust library's rules for unknown characters. */
import { z } from 'zod';
import { BYTE_CHARACTERS } from '../byte-characters.js';
import { byteToken } from './byte-tokens.js';
import { BPE } from './library.js';
import type { Model } from './model.js';
import { MAXIMUM_TOKENS, type Refuse, refuseUnsupported } from './refusal.js';

const schema = z.object({
  dropout: z.number().nullish(),
  unk_token: z.string().nullish(),
  continuing_subword_prefix: z.string().nullish(),
  end_of_word_suffix: z.string().nullish(),
  fuse_unk: z.boolean().nullish(),
  byte_fallback: z.boolean().nullish(),
  ignore_merges: z.boolean().nullish(),
});

/** @throws ByteifyError through `refuse` unless the vocabulary maps texts to distinct ids. */
function vocabularyOf(vocab: unknown, refuse: Refuse): Map<string, number> {
  if (typeof vocab !== 'object' || vocab === null || Array.isArray(vocab)) return refuse('its model has no vocabulary');
  const ids = new Map<string, number>(Object.entries(vocab as Record<string, number>));
  const tokens = new Map<number, string>();
  for (const [token, id] of ids) {
    if (!Number.isInteger(id) || id < 0 || id >= MAXIMUM_TOKENS)
      refuse(`its token ${JSON.stringify(token)} has the id ${JSON.stringify(id)}`);
    const other = tokens.get(id);
    if (other !== undefined) refuse(`${JSON.stringify(other)} and ${JSON.stringify(token)} both have the id ${id}`);
    tokens.set(id, token);
  }
  return ids;
}

/** Each `[left, right]`, or `left right` in one text as older files have them. */
function mergesOf(merges: unknown, ids: ReadonlyMap<string, number>, refuse: Refuse): [string, string][] {
  if (!Array.isArray(merges)) return refuse('its model has no merges');
  return merges
    .filter((merge) => !(typeof merge === 'string' && merge.startsWith('#version')))
    .map((merge: unknown) => {
      const pair: unknown = typeof merge === 'string' ? merge.split(' ') : merge;
      if (!Array.isArray(pair) || pair.length !== 2 || !pair.every((one) => typeof one === 'string'))
        return refuse(`its merge ${JSON.stringify(merge)} is not a pair of tokens`);
      const [left, right] = pair as [string, string];
      const missing = [left, right, left + right].find((token) => !ids.has(token));
      if (missing !== undefined)
        refuse(`its merge ${JSON.stringify(merge)} names ${JSON.stringify(missing)}, which the vocabulary lacks`);
      return [left, right];
    });
}

/** Reads a BPE model. @throws ByteifyError through `refuse` for settings that contradict each other, or would give other ids than the Rust library. */
export function readBpe(config: Readonly<Record<string, unknown>>, refuse: Refuse): Model {
  const parsed = schema.safeParse(config);
  if (!parsed.success) return refuse(`its model has an invalid ${parsed.error.issues[0]!.path.join('.')}`);
  const { dropout, unk_token: unknown, fuse_unk: fuses, byte_fallback: fallsBack } = parsed.data;
  if (dropout)
    refuse(
      `its model skips merges at random (dropout ${dropout}), so the tokens of a text vary`,
      'Set model.dropout to null in a copy of the file, as the source does outside training.',
    );
  for (const key of ['continuing_subword_prefix', 'end_of_word_suffix'] as const)
    if (parsed.data[key]) refuseUnsupported(refuse, `its model’s ${key} is not supported`);
  const ids = vocabularyOf(config.vocab, refuse);
  const merges = mergesOf(config.merges, ids, refuse);
  const unknownId = typeof unknown === 'string' ? ids.get(unknown) : undefined;
  const spellsBytes =
    BYTE_CHARACTERS.every((character) => ids.has(character)) ||
    (fallsBack === true && BYTE_CHARACTERS.every((_, byte) => ids.has(byteToken(byte))));
  if (typeof unknown === 'string' && unknownId === undefined && !spellsBytes)
    refuse(`its unk_token ${JSON.stringify(unknown)} is not in its vocabulary`);
  const bpe = new BPE({
    type: 'BPE',
    vocab: config.vocab as Readonly<Record<string, number>>,
    merges,
    byte_fallback: fallsBack === true,
    ignore_merges: parsed.data.ignore_merges === true,
    ...(typeof unknown === 'string' && { unk_token: unknown }),
  });
  const isSpelled = (character: string) =>
    ids.has(character) || (fallsBack === true && Buffer.from(character).every((byte) => ids.has(byteToken(byte))));
  /** Without an unknown token, unknown characters are removed before merging, so that their neighbours merge. */
  function tokensOf(word: string): string[] {
    const tokens = bpe.encode([word]);
    if (typeof unknown === 'string' || tokens.reduce((sum, { length }) => sum + length, 0) === word.length)
      return tokens;
    return bpe.encode([Array.from(word).filter(isSpelled).join('')]);
  }
  return {
    ids,
    encode: (word) =>
      tokensOf(word).flatMap((token, i, tokens) => {
        const id = ids.get(token);
        const repeats = fuses === true && i > 0 && token === unknown && tokens[i - 1] === unknown;
        return id === undefined || repeats ? [] : [id];
      }),
  };
}
