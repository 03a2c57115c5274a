/** @module Reads the model of a tokenizer.json, which maps words to ids. */
import { readBpe } from './bpe.js';
import type { Model } from './model.js';
import { type Refuse, refuseUnsupported } from './refusal.js';
import { readUnigram } from './unigram.js';

/** The number of words whose ids are cached. */
const CACHED_WORDS = 2 ** 15;
const MAX_CACHED_LENGTH = 64;

function cached({ ids, encode }: Model): Model {
  const cache = new Map<string, readonly number[]>();
  return {
    ids,
    encode(word) {
      const found = cache.get(word);
      if (found !== undefined) return found;
      const encoded = encode(word);
      if (word.length > MAX_CACHED_LENGTH) return encoded;
      if (cache.size === CACHED_WORDS) cache.clear();
      cache.set(word, encoded);
      return encoded;
    },
  };
}

type Json = Readonly<Record<string, unknown>>;

/** The type of a model; older files do not state it. */
const kindOf = ({ type, vocab, merges }: Json): unknown =>
  type ?? (Array.isArray(vocab) ? 'Unigram' : merges !== undefined ? 'BPE' : undefined);

/**
 * @param special contents of special tokens, to which no text is encoded.
 * @throws ByteifyError through `refuse` for a model that is broken or not supported.
 */
export function readModel(config: unknown, special: ReadonlySet<string>, refuse: Refuse): Model {
  if (typeof config !== 'object' || config === null) return refuse('it has no model');
  const json = config as Json;
  const kind = kindOf(json);
  if (kind === 'BPE') return cached(readBpe(json, refuse));
  if (kind === 'Unigram') return cached(readUnigram(json, special, refuse));
  return refuseUnsupported(
    refuse,
    typeof kind === 'string' ? `its model ${kind} is neither BPE nor Unigram` : 'its model has no type',
  );
}
