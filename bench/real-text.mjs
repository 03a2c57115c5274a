// Real text for benchmarks of speed: the documentation that the installed packages carry, or a file.
import { readFileSync } from 'node:fs';
import { demoCorpus } from '../dist/pipeline/index.js';

/** Text of at least `bytes` bytes from one file. @param path of a file; without one, the longest of the corpus. */
export async function realText(bytes, path) {
  const texts = (path === undefined ? await demoCorpus() : [path]).map((file) => readFileSync(file));
  const longest = texts.reduce((most, text) => (text.length > most.length ? text : most));
  if (longest.length >= bytes) return longest;
  process.stderr.write(`error: the text has ${longest.length} bytes, and ${bytes} are needed: --text FILE\n`);
  process.exit(2);
}

/** The first `bytes` bytes, or up to three fewer, so that no character is cut. */
export function beginningOf(text, bytes) {
  let end = bytes;
  while ((text[end] & 0xc0) === 0x80) end--;
  return text.subarray(0, end);
}
