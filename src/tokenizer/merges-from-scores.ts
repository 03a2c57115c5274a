/** @module SentencePiece's scores as BPE's merges, which is how converters to tokenizer.json carry such a vocabulary over. */

/**
 * Every way to make a piece of two others: the best piece first; among equals, the one with the longer first part.
 * @param ids pieces that may be made or be parts, and their ids: without control tokens, so that no text merges into one.
 * @param scores by id; SentencePiece merges the pair whose piece has the highest.
 */
export function mergesFromScores(ids: ReadonlyMap<string, number>, scores: readonly number[]): [string, string][] {
  const ways = [...ids].flatMap(([piece, id]) => {
    const characters = [...piece];
    const found: { left: string; right: string; leftLength: number; score: number }[] = [];
    for (let cut = 1; cut < characters.length; cut++) {
      const [left, right] = [characters.slice(0, cut).join(''), characters.slice(cut).join('')];
      if (ids.has(left) && ids.has(right)) found.push({ left, right, leftLength: cut, score: scores[id]! });
    }
    return found;
  });
  ways.sort((a, b) => b.score - a.score || b.leftLength - a.leftLength);
  return ways.map(({ left, right }) => [left, right]);
}
