/** @module Matches the patterns of a tokenizer.json: regular expressions in Oniguruma's syntax, or literal texts. */
import { z } from 'zod';
import { messageOf } from '../../errors.js';
import { withoutAtomicGroups } from './atomic-groups.js';
import { SplitPreTokenizer } from './library.js';
import { type Refuse, refuseUnsupported } from './refusal.js';

export const patternSchema = z.union([z.object({ Regex: z.string() }), z.object({ String: z.string() })]);

export type Pattern = z.infer<typeof patternSchema>;

/** A stretch of a text, and whether it is a match or lies between matches. */
export interface Span {
  readonly text: string;
  readonly isMatch: boolean;
}

/** Syntax without an equivalent in JavaScript: resets, \R, \X, absence operators, conditionals, calls, options in mid-pattern. */
const UNTRANSLATABLE = /(?<!\\)(?:\\\\)*(?:\\[GKRXyYNO]|\\g<|\(\?(?:~|\(|[imx]+\)|-|[mx]|i[mx-]))/;

/** Real expressions have a few hundred characters; translation takes quadratic time. */
const MAX_EXPRESSION_LENGTH = 2 ** 14;

/** An expression that matches the text literally. */
export const escapedPattern = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');

/**
 * @returns a global expression, or null for a pattern that never matches.
 * @throws ByteifyError through `refuse` for an expression that cannot be translated.
 */
export function compilePattern(pattern: Pattern, refuse: Refuse): RegExp | null {
  if ('String' in pattern) return pattern.String === '' ? null : new RegExp(escapedPattern(pattern.String), 'gu');
  const source = pattern.Regex;
  if (source.length > MAX_EXPRESSION_LENGTH) return refuse(`its expression of ${source.length} characters is too long`);
  if (UNTRANSLATABLE.test(source))
    return refuseUnsupported(refuse, `its expression ${JSON.stringify(source)} uses syntax that is not supported`);
  try {
    // Only this class of the library translates Oniguruma's syntax; it exposes the compiled expression.
    const pattern = { Regex: withoutAtomicGroups(source) };
    return new SplitPreTokenizer({ type: 'Split', pattern, behavior: 'Isolated', invert: false }).pattern;
  } catch (cause) {
    return refuse(`its expression ${JSON.stringify(source)} cannot be compiled: ${messageOf(cause)}`);
  }
}

/** V8 finds empty matches, such as those of `(?![\s\S])`, between the two units of a character, where no character begins. */
const isInsideCharacter = (text: string, at: number) => at > 0 && text.codePointAt(at - 1)! > 0xffff;

/** Splits a text into spans, which concatenate to the text. Empty matches split it too. */
export function spansOf(text: string, pattern: RegExp | null): Span[] {
  const spans: Span[] = [];
  let end = 0;
  for (const match of pattern === null ? [] : text.matchAll(pattern)) {
    if (isInsideCharacter(text, match.index)) continue;
    if (match.index > end) spans.push({ text: text.slice(end, match.index), isMatch: false });
    spans.push({ text: match[0], isMatch: true });
    end = match.index + match[0].length;
  }
  if (end < text.length) spans.push({ text: text.slice(end), isMatch: false });
  return spans;
}
