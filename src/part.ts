/** @module A part of a work that several processes share, as `--shard i/n` names it. */

/** One of several parts, counted from 0. */
export interface Part {
  readonly part: number;
  readonly parts: number;
}
