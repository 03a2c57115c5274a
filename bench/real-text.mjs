// Real text for benchmarks of speed: a given file, or a page of this project's documentation.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const PAGE = fileURLToPath(new URL('../docs/distillation.md', import.meta.url));

/** Reads a text of at least `bytes` bytes. Exits with 2 if the file is shorter. */
export function realText(bytes, path = PAGE) {
  const text = readFileSync(path);
  if (text.length >= bytes) return text;
  process.stderr.write(
    `error: ${path} has ${text.length} bytes, but ${bytes} are needed: name a longer one with --text\n`,
  );
  process.exit(2);
}

/** The first `bytes` bytes, or up to three fewer so that no character is split. */
export function beginningOf(text, bytes) {
  let end = bytes;
  while ((text[end] & 0xc0) === 0x80) end--;
  return text.subarray(0, end);
}
