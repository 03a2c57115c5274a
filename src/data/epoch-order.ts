/**
 * @module The order in which an epoch reads document chunks: each once, or, where domains have weights, each domain as often as its share demands.
 * Domain weights are those of DoReMi (arXiv 2305.10429).
 */
import type { DomainRange } from './domains.js';
import type { Split } from './store.js';

/** A seeded permutation of 0..count-1: a Fisher-Yates shuffle with a linear congruential generator. */
function shuffled(count: number, seed: number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  let state = (Math.imul(seed, 0x9e3779b1) ^ 0x85ebca6b) >>> 0;
  const below = (limit: number) => {
    // A linear congruential generator (Knuth's constants), of which the high bits are used.
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  for (let i = count - 1; i > 0; i--) {
    const j = below(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

function bytesOf(split: Split, { from, to }: DomainRange): number {
  let bytes = 0;
  for (let chunk = from; chunk < to; chunk++) bytes += split.byteLength(chunk);
  return bytes;
}

/** A seed of its own for each pass over each domain. */
const passSeed = (seed: number, domain: number, pass: number) => seed + pass * 7919 + domain * 104_729;

/**
 * What an epoch reads of each domain so that its shares are those of the weights. An epoch has as many bytes as there are. A domain continues in
 * each epoch where it stopped in the one before, so that all its chunks are read before one is read again.
 */
function weightedChunks(split: Split, domains: readonly DomainRange[], seed: number, epoch: number): Uint32Array {
  const bytes = domains.map((domain) => bytesOf(split, domain));
  const all = bytes.reduce((sum, count) => sum + count, 0);
  const weights = domains.reduce((sum, { weight }) => sum + weight!, 0);
  const chunks = domains.flatMap(({ from, to, weight }, i) => {
    const count = to - from;
    const wanted = Math.max(1, Math.round((((weight! / weights) * all) / bytes[i]!) * count));
    const first = epoch * wanted;
    let pass = -1;
    let order: Uint32Array = new Uint32Array();
    return Array.from({ length: wanted }, (_, k) => {
      const now = Math.floor((first + k) / count);
      if (now !== pass) order = shuffled(count, passSeed(seed, i, now));
      pass = now;
      return from + order[(first + k) % count]!;
    });
  });
  return Uint32Array.from(chunks);
}

/**
 * The indices of an epoch's chunks.
 * @param domains to read, from the first chunk on, all with a weight or all without; by default all chunks, each once
 */
export function epochOrder(
  split: Split,
  domains: readonly DomainRange[] | undefined,
  { seed, epoch }: { readonly seed: number; readonly epoch: number },
): Uint32Array {
  const order = (count: number) => shuffled(count, seed + epoch * 7919);
  if (domains === undefined) return order(split.count);
  if (domains.every(({ weight }) => weight === null)) return order(domains.at(-1)?.to ?? 0);
  const chunks = weightedChunks(split, domains, seed, epoch);
  return order(chunks.length).map((place) => chunks[place]!);
}
