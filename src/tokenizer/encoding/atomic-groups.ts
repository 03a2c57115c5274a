/**
 * @module Translates Oniguruma's atomic groups `(?>x)` and possessive quantifiers `x?+`, `x*+`, `x++` to JavaScript. A lookahead never
 * backtracks into its match, so `(?=(?<a>x))\k<a>` matches like `(?>x)`.
 */

/** The end of the character class that begins at `at`. Classes nest. */
function endOfClass(source: string, at: number): number {
  let depth = 0;
  for (let i = at; i < source.length; i++) {
    if (source[i] === '\\') i++;
    else if (source[i] === '[') depth++;
    else if (source[i] === ']' && i > at + 1 && !(i === at + 2 && source[at + 1] === '^')) {
      depth--;
      if (depth === 0) return i + 1;
    }
  }
  return source.length;
}

const ESCAPE = /\\(?:[pPxu]\{[^}]*\}|x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|c[A-Za-z]|k<[^>]*>|[\s\S])/uy;
const QUANTIFIER = /(?:[?*+]|\{\d*,?\d*\})/y;

const matchAt = (pattern: RegExp, source: string, at: number): string => {
  pattern.lastIndex = at;
  return pattern.exec(source)?.[0] ?? '';
};

/** @param source a pattern in Oniguruma's syntax. @returns an equivalent pattern without atomic groups and possessive quantifiers. */
export function withoutAtomicGroups(source: string): string {
  let out = '';
  let count = 0;
  /** Where the last atom begins in `out`; -1 after none. */
  let atom = -1;
  const groups: { readonly start: number; readonly atomic: boolean }[] = [];
  const atomic = (start: number) => {
    const name = `byteify_atomic_${count++}`;
    out = `${out.slice(0, start)}(?:(?=(?<${name}>${out.slice(start)}))\\k<${name}>)`;
  };
  for (let i = 0; i < source.length; ) {
    const quantifier = atom < 0 ? '' : matchAt(QUANTIFIER, source, i);
    if (quantifier !== '') {
      out += quantifier;
      i += quantifier.length;
      // In Ruby's syntax {n,m}+ is a repetition, not a possessive quantifier.
      if (source[i] === '+' && !quantifier.startsWith('{')) {
        atomic(atom);
        i++;
      } else if (source[i] === '?') out += source[i++];
      if (quantifier.startsWith('{') && source[i] === '+') continue;
      atom = -1;
      continue;
    }
    const char = source[i]!;
    if (char === '(') {
      const isAtomic = source.startsWith('(?>', i);
      groups.push({ start: out.length, atomic: isAtomic });
      const opening = isAtomic ? '' : matchAt(/\((?:\?(?:<[=!]|<[^>]*>|[imx-]*[:=!]))?/y, source, i);
      out += opening;
      i += isAtomic ? 3 : opening.length;
      atom = -1;
    } else if (char === ')') {
      const { start, atomic: isAtomic } = groups.pop() ?? { start: 0, atomic: false };
      if (isAtomic) atomic(start);
      else out += char;
      atom = start;
      i++;
    } else if (char === '|') {
      out += char;
      atom = -1;
      i++;
    } else {
      const end = char === '[' ? endOfClass(source, i) : i + (matchAt(ESCAPE, source, i).length || 1);
      atom = out.length;
      out += source.slice(i, end);
      i = end;
    }
  }
  return out;
}
