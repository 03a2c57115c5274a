// The three splits, by package. Documents of one package are similar, so no package is in two of them.
import { Refusal } from './refusal.mjs';

/** In the order of precedence: of two near duplicates the one in the earlier split stays, so training never has a held-out text. */
export const SPLITS = /** @type {const} */ (['held-out', 'choose', 'train']);
export const NOT_TRAINED = SPLITS.filter((split) => split !== 'train');

/**
 * Sorts packages by split, and refuses a package that occurs twice or has no split.
 * @template {{ name: string, split: string }} T
 * @param {T[]} packages
 */
export function bySplit(packages) {
  const seen = new Set();
  for (const { name, split } of packages) {
    if (seen.has(name)) throw new Refusal(`${name} is listed twice; a package belongs to exactly one split`);
    if (!SPLITS.includes(/** @type {typeof SPLITS[number]} */ (split)))
      throw new Refusal(`${name} has the split "${split}"; the splits are: ${SPLITS.join(', ')}`);
    seen.add(name);
  }
  return SPLITS.flatMap((split) => packages.filter((entry) => entry.split === split));
}
