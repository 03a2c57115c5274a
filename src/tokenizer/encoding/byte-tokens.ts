/** @module The names of SentencePiece's byte tokens. */

/** The token of a byte. */
export const byteToken = (byte: number): string => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;
