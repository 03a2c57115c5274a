/**
 * @module A source that answers the items of a suite, on the same bytes as a BLT, by its own tokens. Of what was read last, tokens that the next
 * text begins with are not read again.
 */
import { isUtf8 } from 'node:buffer';
import { type LlamaModel, openLlamaDecoding } from '../../model/index.js';
import { canonicalTokens, startTokenOf } from '../../patching/index.js';
import type { SourceTokenizer } from '../../tokenizer/index.js';
import type { EvaluatedModel, Item, Writing } from '../suites/item.js';
import { endOf } from './text-end.js';

/** Maximum tokens that are read at once: longer texts are read in windows that overlap by half. */
const WINDOW_TOKENS = 2048;

/** The number of equal tokens at the beginning. */
function commonLength(a: readonly number[], b: readonly number[]): number {
  const most = Math.min(a.length, b.length);
  for (let i = 0; i < most; i++) if (a[i] !== b[i]) return i;
  return most;
}

/** The engine must be started. The caller keeps `model`. @param windowTokens maximum tokens that it reads at once */
export function openSourceModel(
  model: LlamaModel,
  tokenizer: SourceTokenizer,
  windowTokens = Math.min(WINDOW_TOKENS, model.config.maxPositions),
): EvaluatedModel {
  const start = startTokenOf(tokenizer, model.config);
  const decoding = openLlamaDecoding(model);
  let read: readonly number[] = [];

  /** The start token and those of a text; null if they do not spell it. */
  function tokensOf(text: Uint8Array): number[] | null {
    if (text.length === 0) return [start];
    const tokens = isUtf8(text) ? canonicalTokens(text, tokenizer) : null;
    return tokens === null ? null : [start, ...tokens.map(({ id }) => id)];
  }

  /** Reads tokens, except those at the beginning that were read before, at most `keep`. @param targets follow the last tokens */
  function readTokens(tokens: readonly number[], keep: number, targets: readonly number[]) {
    const kept = Math.min(commonLength(read, tokens), keep);
    decoding.rewind(kept);
    read = tokens;
    return decoding.read(tokens.slice(kept), targets);
  }

  /** The nats of the tokens from `first` on. The token before them is read again, since only reading predicts. */
  function score(tokens: readonly number[], first: number): number {
    if (first === tokens.length) return 0;
    const { nats } = readTokens(tokens.slice(0, -1), first - 1, tokens.slice(first));
    return nats.reduce((sum, one) => sum + one, 0);
  }

  /** The nats of the tokens from `first` on, each predicted from at least half a window, or from all that precede it. */
  function natsOf(tokens: readonly number[], first: number, signal: AbortSignal): number {
    if (tokens.length <= windowTokens) return score(tokens, first);
    let total = 0;
    for (let done = first; done < tokens.length; ) {
      signal.throwIfAborted();
      const begin = done < windowTokens ? 0 : done - Math.floor(windowTokens / 2);
      const end = Math.min(tokens.length, begin + windowTokens);
      total += score(tokens.slice(begin, end), done - begin);
      done = end;
    }
    return total;
  }

  function write(prompt: readonly number[], { maxBytes, stops }: Writing, signal: AbortSignal): Uint8Array {
    let tokens = [...prompt];
    const written: number[] = [];
    let end: number | null = null;
    while (written.length < maxBytes && end === null) {
      signal.throwIfAborted();
      // A full window goes on with its last half, as where likelihoods are measured.
      if (tokens.length > windowTokens) tokens = tokens.slice(-Math.floor(windowTokens / 2));
      const { next } = readTokens([...tokens], tokens.length - 1, []);
      if (model.config.eosIds.includes(next)) break;
      tokens.push(next);
      written.push(...tokenizer.tokenBytes(next));
      end = endOf(written, stops);
    }
    return Uint8Array.from(written.slice(0, Math.min(end ?? maxBytes, maxBytes)));
  }

  return {
    async answer({ shared, prompt, continuations, answer, writing }: Item, signal) {
      const context = Buffer.concat([shared, prompt]);
      const before = tokensOf(context);
      const texts = continuations.map((text) => tokensOf(Buffer.concat([context, text])));
      if (before === null || texts.some((tokens) => tokens === null)) return null;
      const firsts = texts.map((tokens) => Math.max(1, commonLength(before, tokens!)));
      const nats: number[] = [];
      for (const [i, tokens] of texts.entries()) {
        signal.throwIfAborted();
        nats.push(natsOf(tokens!, firsts[i]!, signal));
        // Lets progress and signals through.
        await new Promise(setImmediate);
      }
      const steps = texts[answer]!.length - firsts[answer]!;
      return { nats, steps, written: writing === null ? null : write(before, writing, signal) };
    },
    dispose: () => decoding.dispose(),
  };
}
