/** @module The unit of every comparison: bits per byte. */

/** @param nats sum of negative log-likelihoods over `bytes` bytes; BOS and EOS are not counted. NaN of no bytes (arXiv 2412.09871, section 4.6). */
export const bitsPerByte = (nats: number, bytes: number): number => nats / (Math.LN2 * bytes);
