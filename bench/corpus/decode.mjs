// Reads the text of a file, gzip included.
import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

/** dictd's `.dz` files are gzip with an index that other readers ignore. */
const GZIP = /\.(gz|dz)$/;

/** @param {string} path @returns the bytes of a file, decompressed if its name says that it is gzip */
export const bytesOf = (path) => (GZIP.test(path) ? gunzipSync(readFileSync(path)) : readFileSync(path));

/** @param {Buffer} bytes @returns the text of UTF-8, or of Latin-1 if it is no UTF-8 */
export const decode = (bytes) => bytes.toString(isUtf8(bytes) ? 'utf8' : 'latin1');
