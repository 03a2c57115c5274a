/** @module Held-out texts for scoring: whole pieces, or their beginnings, cut between characters. */
import type { Split } from './store.js';
import { wholeCharacters } from './utf8.js';

export interface EvaluationTextOptions {
  /** All texts together. */
  readonly maxBytes: number;
  /** One text: the rest of a longer piece follows as texts of their own. Default 2,048. */
  readonly textBytes?: number;
}

const DEFAULT_TEXT_BYTES = 2048;

/** Texts of a split in its order, each valid UTF-8, until `maxBytes` are reached. */
export async function evaluationTexts(split: Split, options: EvaluationTextOptions): Promise<Uint8Array[]> {
  const limit = options.textBytes ?? DEFAULT_TEXT_BYTES;
  const texts: Uint8Array[] = [];
  let left = options.maxBytes;
  for (let piece = 0; piece < split.count && left > 0; piece++) {
    let rest = await split.read(piece);
    while (rest.length > 0 && left > 0) {
      const cut = wholeCharacters(rest.subarray(0, Math.min(limit, left)));
      if (cut === 0) return texts; // less is left than the next character takes
      texts.push(rest.subarray(0, cut));
      rest = rest.subarray(cut);
      left -= cut;
    }
  }
  return texts;
}
