/** @module Held-out texts for scoring: whole pieces, or their beginnings, cut between characters. */
import type { Split } from './store.js';

export interface EvaluationTextOptions {
  /** All texts together. */
  readonly maxBytes: number;
  /** One text: the rest of a longer piece follows as texts of their own. Default 2,048. */
  readonly textBytes?: number;
}

const DEFAULT_TEXT_BYTES = 2048;

/** The largest cut at or before `limit` that does not split a UTF-8 character. */
export function characterCut(bytes: Uint8Array, limit: number): number {
  let cut = Math.min(limit, bytes.length);
  while (cut > 0 && cut < bytes.length && (bytes[cut]! & 0xc0) === 0x80) cut--;
  return cut;
}

/** Texts of a split in its order, each valid UTF-8, until `maxBytes` are reached. */
export async function evaluationTexts(split: Split, options: EvaluationTextOptions): Promise<Uint8Array[]> {
  const limit = options.textBytes ?? DEFAULT_TEXT_BYTES;
  const texts: Uint8Array[] = [];
  let left = options.maxBytes;
  for (let piece = 0; piece < split.count && left > 0; piece++) {
    let rest = await split.read(piece);
    while (rest.length > 0 && left > 0) {
      const cut = characterCut(rest, Math.min(limit, left));
      if (cut === 0) return texts; // less is left than the next character takes
      texts.push(rest.subarray(0, cut));
      rest = rest.subarray(cut);
      left -= cut;
    }
  }
  return texts;
}
