/** @module What a split does with the stretches that its pattern matches, as in the Rust library (normalizer.rs, SplitDelimiterBehavior). */
import type { Span } from './patterns.js';

/** Returns the parts in the text's order; empty ones are dropped later. */
type Behavior = (spans: readonly Span[]) => string[];

/** Appends a span to the last part if `joins` is true for it and the span before. */
function joined(spans: readonly Span[], joins: (span: Span, before: Span | null) => boolean): string[] {
  const parts: string[] = [];
  spans.forEach((span, i) => {
    if (parts.length > 0 && joins(span, spans[i - 1] ?? null)) parts[parts.length - 1] += span.text;
    else parts.push(span.text);
  });
  return parts;
}

/** A match joins the span before it, unless that is a match too. */
const mergedWithPrevious: Behavior = (spans) =>
  joined(spans, (span, before) => span.isMatch && before?.isMatch !== true);

function mergedWithNext(spans: readonly Span[]): string[] {
  const parts: string[] = [];
  for (let i = spans.length - 1; i >= 0; i--) {
    const joins = spans[i]!.isMatch && parts.length > 0 && spans[i + 1]?.isMatch !== true;
    if (joins) parts[parts.length - 1] = spans[i]!.text + parts.at(-1)!;
    else parts.push(spans[i]!.text);
  }
  return parts.reverse();
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
