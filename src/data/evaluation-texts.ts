/** @module Held-out texts for scoring: document chunks, cut between characters into texts of bounded size. */
import type { Split } from './store.js';
import { wholeCharacters } from './utf8.js';

export interface EvaluationTextOptions {
  /** Limit on the bytes of all texts together. */
  readonly maxBytes: number;
  /** Limit on the bytes of one text (default 2,048); the rest of a longer document chunk follows as separate texts. */
  readonly textBytes?: number;
}

const DEFAULT_TEXT_BYTES = 2048;

/** Reads texts from a split in its order, each valid UTF-8, until they have `maxBytes` bytes. */
export async function evaluationTexts(split: Split, options: EvaluationTextOptions): Promise<Uint8Array[]> {
  const limit = options.textBytes ?? DEFAULT_TEXT_BYTES;
  const texts: Uint8Array[] = [];
  let left = options.maxBytes;
  for (let chunk = 0; chunk < split.count && left > 0; chunk++) {
    let rest = await split.read(chunk);
    while (rest.length > 0 && left > 0) {
      const cut = wholeCharacters(rest.subarray(0, Math.min(limit, left)));
      if (cut === 0) return texts; // fewer bytes are left than the next character needs
      texts.push(rest.subarray(0, cut));
      rest = rest.subarray(cut);
      left -= cut;
    }
  }
  return texts;
}
