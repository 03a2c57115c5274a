/** @module Derives BPE merges from SentencePiece's scores, as converters to tokenizer.json do. */

/**
 * All pairs of tokens that join into a third, sorted by the score of the result, highest first; ties are sorted by the longer first part.
 * @param ids tokens that may take part in merges, and their ids: control tokens are left out, so that no text merges into one.
 * @param scores by id; SentencePiece merges the pair whose result has the highest score.
 */
export function mergesFromScores(ids: ReadonlyMap<string, number>, scores: readonly number[]): [string, string][] {
  const merges = [...ids].flatMap(([token, id]) => {
    const characters = [...token];
    const found: { left: string; right: string; leftLength: number; score: number }[] = [];
    for (let cut = 1; cut < characters.length; cut++) {
      const [left, right] = [characters.slice(0, cut).join(''), characters.slice(cut).join('')];
      if (ids.has(left) && ids.has(right)) found.push({ left, right, leftLength: cut, score: scores[id]! });
    }
    return found;
  });
  merges.sort((a, b) => b.score - a.score || b.leftLength - a.leftLength);
  return merges.map(({ left, right }) => [left, right]);
}
