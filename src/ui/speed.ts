/** @module Measures speed over a recent window, because the speed of a network or a disk changes. */

export interface Speed {
  readonly perSecond: number;
  /** Seconds since the first value. */
  readonly seconds: number;
}

/** Long enough to be steady, short enough to follow. */
const WINDOW_MS = 30_000;
const MARK_EVERY_MS = 1_000;

/**
 * Measures the speed of a count from its first value on; work done before that does not count. A falling count starts a new measurement.
 * @returns a function to call with every value and its time in milliseconds.
 */
export function watchSpeed(): (done: number, nowMs: number) => Speed {
  let began = { done: 0, ms: 0 };
  let marks: { done: number; ms: number }[] = [];
  return (done, nowMs) => {
    const last = marks.at(-1);
    if (last === undefined || done < last.done) {
      began = { done, ms: nowMs };
      marks = [began];
    } else if (nowMs - last.ms >= MARK_EVERY_MS) {
      marks.push({ done, ms: nowMs });
      while (marks[1] !== undefined && marks[1].ms <= nowMs - WINDOW_MS) marks.shift();
    }
    const from = marks[0] ?? began;
    const seconds = (nowMs - from.ms) / 1000;
    return { perSecond: seconds > 0 ? (done - from.done) / seconds : 0, seconds: (nowMs - began.ms) / 1000 };
  };
}
