/** @module Byte-pair encoding of one piece, by the library's merges and the Rust library's rules for what the vocabulary lacks. */
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

/** @throws ByteifyError through `refuse` unless it maps texts to ids, each id once. */
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
        return refuse(`its merge ${JSON.stringify(merge)} is no pair of tokens`);
      const [left, right] = pair as [string, string];
      const missing = [left, right, left + right].find((token) => !ids.has(token));
      if (missing !== undefined)
        refuse(`its merge ${JSON.stringify(merge)} names ${JSON.stringify(missing)}, which the vocabulary lacks`);
      return [left, right];
    });
}

/** @throws ByteifyError through `refuse` for settings whose ids would differ from the Rust library's, or that contradict each other. */
export function readBpe(config: Readonly<Record<string, unknown>>, refuse: Refuse): Model {
  const parsed = schema.safeParse(config);
  if (!parsed.success) return refuse(`its model has a wrong ${parsed.error.issues[0]!.path.join('.')}`);
  const { dropout, unk_token: unknown, fuse_unk: fuses, byte_fallback: fallsBack } = parsed.data;
  if (dropout)
    refuse(
      `its model skips merges at random (dropout ${dropout}), so a text has other tokens each time`,
      'Set model.dropout to null in a copy of the file: that is how the source reads text when it does not train.',
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
  /** Where nothing stands for unknown characters they are left out before anything merges, so that their neighbours do. */
  function tokensOf(piece: string): string[] {
    const tokens = bpe.encode([piece]);
    if (typeof unknown === 'string' || tokens.reduce((sum, { length }) => sum + length, 0) === piece.length)
      return tokens;
    return bpe.encode([Array.from(piece).filter(isSpelled).join('')]);
  }
  return {
    ids,
    encode: (piece) =>
      tokensOf(piece).flatMap((token, i, tokens) => {
        const id = ids.get(token);
        const repeats = fuses === true && i > 0 && token === unknown && tokens[i - 1] === unknown;
        return id === undefined || repeats ? [] : [id];
      }),
  };
}
