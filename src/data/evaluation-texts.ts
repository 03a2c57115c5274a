/** @module Held-out texts for scoring: document chunks, or openings of them, cut between characters into texts of bounded size. */
import type { DomainKind, DomainRange } from './domains.js';
import type { Split, StoredSplit } from './store.js';
import { wholeCharacters } from './utf8.js';

export interface EvaluationTextOptions {
  /** Limit on the bytes of all texts together. */
  readonly maxBytes: number;
}

/** Limit on the bytes of one text; the rest of a longer document chunk follows as separate texts. */
const TEXT_BYTES = 2048;

/** Texts of one domain. */
export interface DomainTexts extends Pick<DomainRange, 'name' | 'kind'> {
  readonly texts: readonly Uint8Array[];
}

/** How much of the first `limit` bytes can be one text: text is cut between characters, other bytes anywhere. */
function textLength(bytes: Uint8Array, limit: number, kind: DomainKind): number {
  const head = bytes.subarray(0, limit);
  return kind === 'text' ? wholeCharacters(head) : head.length;
}

async function textsOfDomain(split: Split, { from, to, kind }: DomainRange, maxBytes: number): Promise<Uint8Array[]> {
  const texts: Uint8Array[] = [];
  let left = maxBytes;
  for (let chunk = from; chunk < to && left > 0; chunk++) {
    let rest = await split.read(chunk);
    while (rest.length > 0 && left > 0) {
      const cut = textLength(rest, Math.min(TEXT_BYTES, left), kind);
      if (cut === 0) return texts; // fewer bytes are left than the next character needs
      texts.push(rest.subarray(0, cut));
      rest = rest.subarray(cut);
      left -= cut;
    }
  }
  return texts;
}

/** Calls `read` with each domain and its part of the bytes, which is the same for all. */
async function fromDomains(
  { domains }: StoredSplit,
  maxBytes: number,
  read: (domain: DomainRange, maxBytes: number) => Promise<Uint8Array[]>,
): Promise<DomainTexts[]> {
  const found: DomainTexts[] = [];
  for (const domain of domains) {
    const { name, kind } = domain;
    found.push({ name, kind, texts: await read(domain, Math.floor(maxBytes / domains.length)) });
  }
  return found;
}

/** Reads texts from each domain of a split in its order, each domain's up to an equal part of `maxBytes`; those of text are valid UTF-8. */
export const evaluationTexts = (split: StoredSplit, { maxBytes }: EvaluationTextOptions): Promise<DomainTexts[]> =>
  fromDomains(split, maxBytes, (domain, bytes) => textsOfDomain(split, domain, bytes));

/** The texts of those domains that are text. */
export const plainTexts = (domains: readonly DomainTexts[]): Uint8Array[] =>
  allTexts(domains.filter(({ kind }) => kind === 'text'));

/** The texts of all domains. */
export const allTexts = (domains: readonly DomainTexts[]): Uint8Array[] => domains.flatMap(({ texts }) => texts);

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

async function openingsOfDomain(
  split: Split,
  { from, to, kind }: DomainRange,
  { maxBytes, openingBytes }: OpeningOptions,
): Promise<Uint8Array[]> {
  const texts: Uint8Array[] = [];
  let left = maxBytes;
  for (const chunk of spreadOrder(to - from)) {
    const bytes = await split.read(from + chunk);
    const text = bytes.subarray(0, textLength(bytes, Math.min(openingBytes, left), kind));
    if (text.length === 0) break; // fewer bytes are left than the next character needs
    texts.push(text);
    left -= text.length;
  }
  return texts;
}

/** The openings of chunks from all over each domain of a split, each domain's up to an equal part of `maxBytes`: a sample of many documents. */
export const openingTexts = (split: StoredSplit, { maxBytes, openingBytes }: OpeningOptions): Promise<DomainTexts[]> =>
  fromDomains(split, maxBytes, (domain, bytes) => openingsOfDomain(split, domain, { maxBytes: bytes, openingBytes }));
