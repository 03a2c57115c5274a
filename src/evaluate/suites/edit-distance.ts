/** @module The number of insertions, deletions and substitutions between two sequences (Levenshtein). */

/** @param substitution what a substitution counts (default 1) */
export function editDistance<T>(a: readonly T[], b: readonly T[], substitution = 1): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : substitution);
      next.push(Math.min(substituted, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
