/** @module Held-out texts for scoring: document chunks, or openings of them, cut between characters into texts of bounded size. */
import type { Split } from './store.js';
import { wholeCharacters } from './utf8.js';

export interface EvaluationTextOptions {
  /** Limit on the bytes of all texts together. */
  readonly maxBytes: number;
}

/** Limit on the bytes of one text; the rest of a longer document chunk follows as separate texts. */
const TEXT_BYTES = 2048;

/** Reads texts from a split in its order, each valid UTF-8, until they have `maxBytes` bytes. */
export async function evaluationTexts(split: Split, options: EvaluationTextOptions): Promise<Uint8Array[]> {
  const texts: Uint8Array[] = [];
  let left = options.maxBytes;
  for (let chunk = 0; chunk < split.count && left > 0; chunk++) {
    let rest = await split.read(chunk);
    while (rest.length > 0 && left > 0) {
      const cut = wholeCharacters(rest.subarray(0, Math.min(TEXT_BYTES, left)));
      if (cut === 0) return texts; // fewer bytes are left than the next character needs
      texts.push(rest.subarray(0, cut));
      rest = rest.subarray(cut);
      left -= cut;
    }
  }
  return texts;
}

/** The golden ratio's fractional part: multiples of it, modulo one, are spread evenly wherever they stop. */
const SPREAD = (Math.sqrt(5) - 1) / 2;

const commonDivisor = (a: number, b: number): number => (b === 0 ? a : commonDivisor(b, a % b));

/** All indices below `count`, each once, in an order whose every beginning is spread over them. */
export function* spreadOrder(count: number): Generator<number> {
  let step = Math.max(1, Math.round(SPREAD * count));
  while (commonDivisor(step, count) > 1) step++;
  for (let i = 0; i < count; i++) yield (i * step) % count;
}

export interface OpeningOptions {
  /** Limit on the bytes of all texts together. */
  readonly maxBytes: number;
  /** Limit on the bytes of one text. */
  readonly openingBytes: number;
}

/** The openings of chunks from all over a split, each valid UTF-8, until they have `maxBytes` bytes: a sample of many documents. */
export async function openingTexts(split: Split, { maxBytes, openingBytes }: OpeningOptions): Promise<Uint8Array[]> {
  const texts: Uint8Array[] = [];
  let left = maxBytes;
  for (const chunk of spreadOrder(split.count)) {
    const bytes = await split.read(chunk);
    const text = bytes.subarray(0, wholeCharacters(bytes.subarray(0, Math.min(openingBytes, left))));
    if (text.length === 0) break; // fewer bytes are left than the next character needs
    texts.push(text);
    left -= text.length;
  }
  return texts;
}
