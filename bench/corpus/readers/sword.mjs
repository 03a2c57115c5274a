// Text of the SWORD project's compressed modules (`*.bzz` with its index `*.bzs`): blocks of zlib data with light markup.
import { readFileSync } from 'node:fs';
import { inflateSync } from 'node:zlib';

/** A record of the index: where a block starts, its size, and its size when inflated. */
const RECORD_BYTES = 12;

/** @param {string} markup */
const plain = (markup) =>
  markup
    .replaceAll(/<(br|p|lb|div|\/div|\/p)\b[^>]*>/gi, '\n\n')
    .replaceAll(/<[^>]*>/g, '')
    .replaceAll(/\n\s*\n\s*/g, '\n\n')
    .trim();

/**
 * @param {string} path of the blocks
 * @returns the text of each block that is not empty
 */
export function swordTexts(path) {
  const blocks = readFileSync(path);
  const index = readFileSync(path.replace(/z$/, 's'));
  const texts = [];
  for (let at = 0; at + RECORD_BYTES <= index.length; at += RECORD_BYTES) {
    const start = index.readUInt32LE(at);
    const size = index.readUInt32LE(at + 4);
    if (size > 0) texts.push(plain(inflateSync(blocks.subarray(start, start + size)).toString('utf8')));
  }
  return texts;
}
