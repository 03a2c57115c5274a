// Text of R's lazily loaded data (`*.rdb`): compressed objects, of which vectors of strings are read. Each string is a line of a book.
import { readFileSync } from 'node:fs';
import { inflateSync } from 'node:zlib';

/** R's type number of vectors of strings. */
const STRINGS = 16;
/** The format's name and versions, before the name of the encoding. */
const HEADER_BYTES = 14;

/** The lines of one serialized object (XDR, version 3), or none if it is not a vector of strings. */
function linesOf(bytes) {
  let at = HEADER_BYTES;
  const int = () => {
    at += 4;
    return bytes.readInt32BE(at - 4);
  };
  const string = () => {
    const length = int();
    if (length < 0) return '';
    at += length;
    return bytes.toString('utf8', at - length, at);
  };
  string();
  if ((int() & 0xff) !== STRINGS) return [];
  return Array.from({ length: int() }, () => {
    int();
    return string();
  });
}

/**
 * @param {string} path
 * @returns the text of each vector of strings
 */
export function rDataTexts(path) {
  const bytes = readFileSync(path);
  const texts = [];
  // A record is the size of the object, and its zlib data, which ends by itself.
  for (let at = 0; at < bytes.length; ) {
    const { buffer, engine } = /** @type {any} */ (
      inflateSync(bytes.subarray(at + 4), /** @type {any} */ ({ info: true }))
    );
    texts.push(linesOf(buffer).join('\n'));
    at += 4 + engine.bytesWritten;
  }
  return texts.filter((text) => text !== '');
}
