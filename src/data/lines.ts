/** @module Splits a stream of byte chunks into lines. */

const NEWLINE = 0x0a;

/** A line without its line feed; null for a line above the limit, whose bytes are skipped. */
export type Line = Uint8Array | null;

/** Yields the lines in order; the last one may lack a line feed. At most `maxBytes` of a line are kept in memory. */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>, maxBytes: number): AsyncGenerator<Line> {
  let kept: Uint8Array[] = [];
  let keptBytes = 0;
  const keep = (bytes: Uint8Array) => {
    keptBytes += bytes.length;
    if (keptBytes > maxBytes) kept = [];
    else kept.push(bytes);
  };
  const take = (): Line => {
    const line = keptBytes > maxBytes ? null : kept.length === 1 ? kept[0]! : Buffer.concat(kept);
    kept = [];
    keptBytes = 0;
    return line;
  };
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      keep(chunk.subarray(from, end));
      yield take();
      from = end + 1;
    }
    if (from < chunk.length) keep(chunk.subarray(from));
  }
  if (keptBytes > 0) yield take();
}
