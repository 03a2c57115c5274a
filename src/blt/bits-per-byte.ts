/** @module Bits per byte, the unit of every comparison. */

/**
 * Converts a sum of negative log-likelihoods to bits per byte.
 * @param nats sum of negative log-likelihoods over `bytes` bytes; BOS and EOS are not counted.
 * @returns NaN for zero bytes (arXiv 2412.09871, section 4.6).
 */
export const bitsPerByte = (nats: number, bytes: number): number => nats / (Math.LN2 * bytes);
