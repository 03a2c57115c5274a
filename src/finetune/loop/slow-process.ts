/** @module Notices a process that is slower than the others, for which all of them wait. */

export interface SlowProcess {
  readonly rank: number;
  /** Its time per step divided by the median of the others. */
  readonly ratio: number;
}

/** A process counts as slow from this ratio on, over so many steps. */
const RATIO = 1.5;
const STEPS = 20;

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2;
}

/** @returns what takes each step's milliseconds by rank, and returns a process that has been slow over the last steps, once for each such process. */
export function watchSlowProcesses(): (ms: readonly number[]) => SlowProcess | null {
  let sums: number[] = [];
  let steps = 0;
  const told = new Set<number>();
  return (ms) => {
    sums = ms.map((own, rank) => (sums[rank] ?? 0) + own);
    if (++steps < STEPS) return null;
    const rank = sums.indexOf(Math.max(...sums));
    const others = sums.filter((_, i) => i !== rank);
    const ratio = others.length === 0 ? 1 : sums[rank]! / median(others);
    [sums, steps] = [[], 0];
    if (ratio < RATIO || told.has(rank)) return null;
    told.add(rank);
    return { rank, ratio };
  };
}
