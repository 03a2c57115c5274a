/** @module Limits on the requests of one client, so that the others get their share. */

export interface Limits {
  /** Maximum bytes of a request body. */
  readonly bodyBytes: number;
  /** Maximum bytes of a prompt. */
  readonly promptBytes: number;
  /** Maximum bytes of one generated text. */
  readonly textBytes: number;
  /** Maximum number of texts that wait for a sequence slot. */
  readonly waiting: number;
  /** Milliseconds from a request to its last byte, waiting included. */
  readonly requestMs: number;
  /** Maximum bytes of a stream that are buffered for a client that reads slowly. */
  readonly streamBytes: number;
  /** Milliseconds that a client may leave a stream unread. */
  readonly stallMs: number;
}

/** The buffer holds a few seconds of the fastest generation; a suspended browser tab resumes within the time. */
export const STREAM_LIMITS = { streamBytes: 256 * 1024, stallMs: 30_000 } as const;
