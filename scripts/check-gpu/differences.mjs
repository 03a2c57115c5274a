// Differences between measured and expected values.

/** The largest of nonnegative numbers; NaN if one of them is NaN. @param {readonly number[]} numbers */
export function worstOf(numbers) {
  return numbers.some(Number.isNaN) ? Number.NaN : numbers.reduce((most, next) => Math.max(most, next), 0);
}

/**
 * The largest difference; infinite if the lengths differ, NaN if a value is NaN.
 * @param {ArrayLike<number>} found @param {ArrayLike<number>} wanted
 */
export function maxDifference(found, wanted) {
  if (found.length !== wanted.length) return Number.POSITIVE_INFINITY;
  let worst = 0;
  for (let i = 0; i < wanted.length; i++) {
    const difference = Math.abs((found[i] ?? 0) - (wanted[i] ?? 0));
    if (Number.isNaN(difference)) return difference;
    worst = Math.max(worst, difference);
  }
  return worst;
}

/** The largest difference relative to the largest expected magnitude. @param {ArrayLike<number>} found @param {ArrayLike<number>} wanted */
export function relativeDifference(found, wanted) {
  let scale = 0;
  for (let i = 0; i < wanted.length; i++) scale = Math.max(scale, Math.abs(wanted[i] ?? 0));
  return maxDifference(found, wanted) / (scale + 1e-8);
}

/**
 * Whether both implementations cut the text into the same patches. transformers counts from the second position and pads its list.
 * @param {readonly number[]} lengths of patches that cover every position @param {readonly number[]} theirs the lengths of transformers
 */
export function samePatches(lengths, theirs) {
  const end = theirs.findIndex((length) => length < 0);
  const trimmed = end < 0 ? theirs : theirs.slice(0, end);
  const ours = [...lengths.slice(0, -1), (lengths.at(-1) ?? 0) - 1];
  return ours.length === trimmed.length && ours.every((length, i) => length === trimmed[i]);
}
