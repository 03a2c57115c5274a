/**
 * @module Counts of a translation, from which the sums over a corpus give chrF and BLEU as sacrebleu computes them by default: chrF2 with
 * characters up to 6-grams without spaces (Popovic 2015), BLEU with words up to 4-grams, tokenizer 13a, exponential smoothing.
 */
import type { Counts } from './metric.js';

const CHARACTER_ORDER = 6;
const WORD_ORDER = 4;
/** Recall counts twice as much as precision. */
const BETA = 2;

function ngrams(parts: readonly string[], order: number): Map<string, number> {
  const found = new Map<string, number>();
  for (let at = 0; at + order <= parts.length; at++) {
    const key = parts.slice(at, at + order).join('\u0001');
    found.set(key, (found.get(key) ?? 0) + 1);
  }
  return found;
}

const total = (counts: ReadonlyMap<string, number>) => [...counts.values()].reduce((sum, one) => sum + one, 0);

/** The number of n-grams that both have. */
const common = (a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>) =>
  [...a].reduce((sum, [key, times]) => sum + Math.min(times, b.get(key) ?? 0), 0);

/** The words of a text as mteval-v13a separates them. */
export function words13a(text: string): readonly string[] {
  const plain = text
    .replaceAll('<skipped>', '')
    .replaceAll('-\n', '')
    .replaceAll('\n', ' ')
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>');
  return ` ${plain} `
    .replaceAll(/([{-~[-` -&(-+:-@/])/g, ' $1 ')
    .replaceAll(/([^0-9])([.,])/g, '$1 $2 ')
    .replaceAll(/([.,])([^0-9])/g, ' $1 $2')
    .replaceAll(/([0-9])(-)/g, '$1 $2 ')
    .split(/\s+/)
    .filter((word) => word !== '');
}

/** The counts of one segment. */
export function translationCounts(written: string, reference: string): Counts {
  const counts: Record<string, number> = {};
  const [ours, theirs] = [written, reference].map((text) => [...text.replaceAll(/\s/g, '')]);
  for (let order = 1; order <= CHARACTER_ORDER; order++) {
    const [own, other] = [ngrams(ours!, order), ngrams(theirs!, order)];
    // As in sacrebleu: what is written does not count where the reference is too short for the order.
    counts[`characters_written_${order}`] = other.size === 0 ? 0 : total(own);
    counts[`characters_reference_${order}`] = total(other);
    counts[`characters_common_${order}`] = common(own, other);
  }
  const [ownWords, otherWords] = [words13a(written), words13a(reference)];
  for (let order = 1; order <= WORD_ORDER; order++) {
    const own = ngrams(ownWords, order);
    counts[`words_written_${order}`] = total(own);
    counts[`words_common_${order}`] = common(own, ngrams(otherWords, order));
  }
  return { ...counts, words_written: ownWords.length, words_reference: otherWords.length };
}

/** From 0 to 100. Orders for which either side has no n-grams are left out. */
export function chrF(sums: Counts): number | null {
  let [precision, recall, orders] = [0, 0, 0];
  for (let order = 1; order <= CHARACTER_ORDER; order++) {
    const [own, other] = [sums[`characters_written_${order}`] ?? 0, sums[`characters_reference_${order}`] ?? 0];
    if (own === 0 || other === 0) continue;
    precision += sums[`characters_common_${order}`]! / own;
    recall += sums[`characters_common_${order}`]! / other;
    orders++;
  }
  if (orders === 0) return sums.characters_reference_1 === undefined ? null : 0;
  const [p, r] = [precision / orders, recall / orders];
  const factor = BETA ** 2;
  return p + r === 0 ? 0 : (100 * (1 + factor) * p * r) / (factor * p + r);
}

/** From 0 to 100. */
export function bleu(sums: Counts): number | null {
  const { words_written: written, words_reference: reference } = sums;
  if (written === undefined || reference === undefined) return null;
  if (written === 0 || (sums.words_common_1 ?? 0) === 0) return 0;
  let smoothing = 1;
  let logs = 0;
  for (let order = 1; order <= WORD_ORDER; order++) {
    const [all, right] = [sums[`words_written_${order}`]!, sums[`words_common_${order}`]!];
    if (all === 0) return 0;
    if (right === 0) smoothing *= 2;
    logs += Math.log(right === 0 ? 100 / (smoothing * all) : (100 * right) / all);
  }
  const brevity = written < reference ? Math.exp(1 - reference / written) : 1;
  return brevity * Math.exp(logs / WORD_ORDER);
}
