/** @module Suites whose items have one right text, which models both score and try to write: exact match, first wrong byte, label bits. */
import { type Item, type Outcome, utf8 } from './item.js';
import { type Counts, fraction, LABEL_BITS, type Metric, ratio } from './metric.js';

/** The number of bytes before the first that differs. */
export function rightBytes(written: Uint8Array, label: Uint8Array): number {
  let at = 0;
  while (at < label.length && written[at] === label[at]) at++;
  return at;
}

/** The counts of a written answer. @param same whether a written text is right (default: byte by byte) */
export function answerCounts(
  item: Item,
  { nats, written }: Outcome,
  same: (written: string, label: string) => boolean = (a, b) => a === b,
): Counts {
  const label = item.continuations[item.answer]!;
  const text = written ?? new Uint8Array();
  const isRight = same(Buffer.from(text).toString(), Buffer.from(label).toString());
  return {
    items: 1,
    exact_match: isRight ? 1 : 0,
    right_share: isRight ? 1 : rightBytes(text, label) / label.length,
    nats: nats[item.answer]!,
    bytes: label.length,
  };
}

/** The part of an answer before its first wrong byte, averaged over the items. */
const RIGHT_SHARE: Metric = {
  name: 'right_before_first_wrong_byte',
  title: 'right before the first wrong byte',
  better: 'higher',
  decimals: 1,
  percent: true,
  of: (sums) => ratio(sums.right_share, sums.items),
};

export const ANSWER_METRICS: readonly Metric[] = [fraction('exact_match', 'exact match'), RIGHT_SHARE, LABEL_BITS];

/** Question and answer pairs that precede each question of a task, as they are written in a prompt. */
export const fewShot = (pairs: readonly (readonly [question: string, answer: string])[], join: string): Uint8Array =>
  utf8(pairs.map(([question, answer]) => `${question}${answer}${join}`).join(''));
