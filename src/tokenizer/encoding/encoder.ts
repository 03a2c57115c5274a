/** @module Turns a tokenizer.json into a function from a text to its token ids, equal to those of the Rust library `tokenizers`. */
import { type AddedToken, addedTokenSplitter, checkAddedIds, readAddedTokens } from './added-tokens.js';
import { withinDeadline } from './deadline.js';
import { unknownExpressionsIn } from './expressions.js';
import { readModel } from './models.js';
import { readNormalizer } from './normalizers.js';
import { readPreTokenizer } from './pre-tokenizers.js';
import type { Refuse } from './refusal.js';

export interface Encoder {
  /** Ids of a text. Special tokens written in it are treated as text (`encode_special_tokens` of the Rust library). */
  encode(text: string): number[];
  /** Ids by token, without added tokens. */
  readonly vocabulary: ReadonlyMap<string, number>;
  readonly added: readonly AddedToken[];
}

/** The time limit for a text: many times what the slowest real tokenizer needs. */
const DEADLINE_MS = 10_000;
const DEADLINE_MS_PER_CHARACTER = 0.1;

/** Turns V8's RangeErrors into refusals. They mean that the file, or its result for a text, is too large: in nesting, stack or length. */
function refusingRangeErrors<T>(work: () => T, refuse: Refuse): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof RangeError) return refuse(`it needs too many resources (${error.message})`);
    throw error;
  }
}

/**
 * @param json the contents of a tokenizer.json.
 * @param deadlineMs the time limit for a text; long texts get a little more.
 * @throws ByteifyError through `refuse` for a broken tokenizer, and for one whose ids would differ from the Rust library's.
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
        `its expressions did not process ${characters} characters in ${Number((timeoutMs / 1000).toFixed(1))} s`,
        'An expression that tries every way to split a text never ends. Use another copy of the model’s tokenizer.',
      ),
    );
  };
  // Under the deadline too, because it normalizes the contents of added tokens.
  const split = isWatched
    ? watched(() => addedTokenSplitter(added, normalize), added.length)
    : addedTokenSplitter(added, normalize);
  const encode = (text: string): number[] =>
    split(text).flatMap((section, i) => {
      if (typeof section === 'number') return [section];
      return section === '' ? [] : preTokenize(section, i === 0).flatMap((word) => model.encode(word));
    });
  return {
    encode: (text) =>
      refusingRangeErrors(() => (isWatched ? watched(() => encode(text), text.length) : encode(text)), refuse),
    vocabulary: model.ids,
    added,
  };
}
