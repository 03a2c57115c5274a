/** @module How long to wait before a retry. */
import { setTimeout as wait } from 'node:timers/promises';

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;

export type Sleep = (ms: number, signal?: AbortSignal) => Promise<unknown>;

export const sleepMs: Sleep = (ms, signal) => wait(ms, undefined, signal && { signal });

/** The delay before a retry in milliseconds: doubled with each attempt, and half random so that many clients do not retry at the same time. */
export function backoffMs(attempt: number): number {
  const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** attempt);
  return longest * (0.5 + Math.random() / 2);
}
