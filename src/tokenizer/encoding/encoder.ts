/** @module A tokenizer.json as a function: a text to its token ids, equal to those of the Rust library `tokenizers`. */
import { type AddedToken, addedTokenSplitter, checkAddedIds, readAddedTokens } from './added-tokens.js';
import { withinDeadline } from './deadline.js';
import { unknownExpressionsIn } from './expressions.js';
import { readModel } from './models.js';
import { readNormalizer } from './normalizers.js';
import { readPreTokenizer } from './pre-tokenizers.js';
import type { Refuse } from './refusal.js';

export interface Encoder {
  /** Ids of a text without special tokens: those that are written in it are text (`encode_special_tokens` of the Rust library). */
  encode(text: string): number[];
  /** Ids by token, without added tokens. */
  readonly vocabulary: ReadonlyMap<string, number>;
  readonly added: readonly AddedToken[];
}

/** What a text may take: many times what the slowest real tokenizer does. */
const DEADLINE_MS = 10_000;
const DEADLINE_MS_PER_CHARACTER = 0.1;

/** What V8 throws where a file's parts or what they make of a text are too large: nesting, stacks, lengths of texts. */
function refusingRangeErrors<T>(work: () => T, refuse: Refuse): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof RangeError) return refuse(`it asks for too much (${error.message})`);
    throw error;
  }
}

/**
 * @param json of a tokenizer.json.
 * @param deadlineMs what a text may take, and a little more for long ones.
 * @throws ByteifyError through `refuse` for what is broken, and for what would not give the Rust library's ids.
 */
export function createEncoder(
  json: Readonly<Record<string, unknown>>,
  refuse: Refuse,
  deadlineMs = DEADLINE_MS,
): Encoder {
  return refusingRangeErrors(() => encoderOf(json, refuse, deadlineMs), refuse);
}

function encoderOf(json: Readonly<Record<string, unknown>>, refuse: Refuse, deadlineMs: number): Encoder {
  const added = readAddedTokens(json.added_tokens, refuse);
  const special = new Set(added.flatMap((token) => (token.special ? [token.content] : [])));
  const model = readModel(json.model, special, refuse);
  checkAddedIds(added, model.ids, refuse);
  const normalize = readNormalizer(json.normalizer, refuse);
  const preTokenize = readPreTokenizer(json.pre_tokenizer, refuse);
  const isWatched = unknownExpressionsIn([json.normalizer, json.pre_tokenizer]).length > 0;
  const watched = <T>(work: () => T, characters: number): T => {
    const timeoutMs = Math.ceil(deadlineMs + DEADLINE_MS_PER_CHARACTER * characters);
    return withinDeadline(work, timeoutMs, () =>
      refuse(
        `its expressions did not get through ${characters} characters in ${Number((timeoutMs / 1000).toFixed(1))} s`,
        'An expression that tries every way to cut a text never ends. Use another copy of the model’s tokenizer.',
      ),
    );
  };
  // Normalizes the contents of added tokens.
  const split = isWatched
    ? watched(() => addedTokenSplitter(added, normalize), added.length)
    : addedTokenSplitter(added, normalize);
  const encode = (text: string): number[] =>
    split(text).flatMap((section, i) => {
      if (typeof section === 'number') return [section];
      return section === '' ? [] : preTokenize(section, i === 0).flatMap((piece) => model.encode(piece));
    });
  return {
    encode: (text) =>
      refusingRangeErrors(() => (isWatched ? watched(() => encode(text), text.length) : encode(text)), refuse),
    vocabulary: model.ids,
    added,
  };
}
