/** @module The models that a tokenizer.json can have: pieces of text to ids. */
import { readBpe } from './bpe.js';
import type { Model } from './model.js';
import { type Refuse, refuseUnsupported } from './refusal.js';
import { readUnigram } from './unigram.js';

/** Words come again and again. */
const KEPT_PIECES = 2 ** 15;
const LONGEST_KEPT = 64;

function remembering({ ids, encode }: Model): Model {
  const kept = new Map<string, readonly number[]>();
  return {
    ids,
    encode(piece) {
      const found = kept.get(piece);
      if (found !== undefined) return found;
      const encoded = encode(piece);
      if (piece.length > LONGEST_KEPT) return encoded;
      if (kept.size === KEPT_PIECES) kept.clear();
      kept.set(piece, encoded);
      return encoded;
    },
  };
}

type Json = Readonly<Record<string, unknown>>;

/** Files from before models had a type. */
const kindOf = ({ type, vocab, merges }: Json): unknown =>
  type ?? (Array.isArray(vocab) ? 'Unigram' : merges !== undefined ? 'BPE' : undefined);

/**
 * @param special contents of special tokens, which no text becomes.
 * @throws ByteifyError through `refuse` for a model that is broken or not supported.
 */
export function readModel(config: unknown, special: ReadonlySet<string>, refuse: Refuse): Model {
  if (typeof config !== 'object' || config === null) return refuse('it has no model');
  const json = config as Json;
  const kind = kindOf(json);
  if (kind === 'BPE') return remembering(readBpe(json, refuse));
  if (kind === 'Unigram') return remembering(readUnigram(json, special, refuse));
  return refuseUnsupported(
    refuse,
    typeof kind === 'string' ? `its model ${kind} is neither BPE nor Unigram` : 'its model has no type',
  );
}
