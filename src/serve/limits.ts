/** @module What one client may ask for, so that the others get their share. */

export interface Limits {
  /** Bytes of a request's body. */
  readonly bodyBytes: number;
  /** Bytes of a prompt. */
  readonly promptBytes: number;
  /** Bytes of one text. */
  readonly textBytes: number;
  /** Texts that wait for a slot. */
  readonly waiting: number;
  /** Milliseconds from a request to its last byte, waiting included. */
  readonly requestMs: number;
  /** Bytes of a stream that may wait for a client that reads slowly. */
  readonly streamBytes: number;
  /** Milliseconds that a client may leave a stream unread. */
  readonly stallMs: number;
}

/** A stream's share is a few seconds' worth of the fastest writing; a browser tab that sleeps wakes in less than the time. */
export const STREAM_LIMITS = { streamBytes: 256 * 1024, stallMs: 30_000 } as const;
