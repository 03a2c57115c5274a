/** @module What becomes of the stretches that a pattern matches, as in the Rust library (normalizer.rs, SplitDelimiterBehavior). */
import type { Span } from './patterns.js';

/** Pieces in the text's order; empty ones are dropped later. */
type Behavior = (spans: readonly Span[]) => string[];

/** Appends to the last piece where `joins` says so of two neighbours. */
function joined(spans: readonly Span[], joins: (span: Span, before: Span | null) => boolean): string[] {
  const pieces: string[] = [];
  spans.forEach((span, i) => {
    if (pieces.length > 0 && joins(span, spans[i - 1] ?? null)) pieces[pieces.length - 1] += span.text;
    else pieces.push(span.text);
  });
  return pieces;
}

/** A match joins what stands before it, unless that is a match as well. */
const mergedWithPrevious: Behavior = (spans) =>
  joined(spans, (span, before) => span.isMatch && before?.isMatch !== true);

function mergedWithNext(spans: readonly Span[]): string[] {
  const pieces: string[] = [];
  for (let i = spans.length - 1; i >= 0; i--) {
    const joins = spans[i]!.isMatch && pieces.length > 0 && spans[i + 1]?.isMatch !== true;
    if (joins) pieces[pieces.length - 1] = spans[i]!.text + pieces.at(-1)!;
    else pieces.push(spans[i]!.text);
  }
  return pieces.reverse();
}

export const BEHAVIORS = {
  Removed: (spans: readonly Span[]) => spans.flatMap(({ text, isMatch }) => (isMatch ? [] : [text])),
  Isolated: (spans: readonly Span[]) => spans.map(({ text }) => text),
  MergedWithPrevious: mergedWithPrevious,
  MergedWithNext: mergedWithNext,
  Contiguous: (spans: readonly Span[]) => joined(spans, (span, before) => span.isMatch === (before?.isMatch ?? false)),
} as const satisfies Record<string, Behavior>;

export type BehaviorName = keyof typeof BEHAVIORS;

export const BEHAVIOR_NAMES = Object.keys(BEHAVIORS) as [BehaviorName, ...BehaviorName[]];
