import { describe, expect, it } from 'vitest';
import { headOf, openChunks } from '../../src/data/chunk-reader.js';

/** Chunks of the given sizes, counted as they are requested. */
function source(sizes: readonly number[]) {
  const state = { asked: 0, isClosed: false };
  async function* chunks(): AsyncGenerator<Uint8Array> {
    try {
      for (const [i, size] of sizes.entries()) {
        state.asked++;
        yield new Uint8Array(size).fill(i);
      }
    } finally {
      state.isClosed = true;
    }
  }
  return { state, reader: openChunks(chunks()) };
}

async function rest(reader: AsyncIterable<Uint8Array>): Promise<number[]> {
  const bytes: number[] = [];
  for await (const chunk of reader) bytes.push(...chunk);
  return bytes;
}

describe('a chunk reader', () => {
  it('yields peeked chunks again, and reads no further than necessary to peek', async () => {
    const { state, reader } = source([3, 3, 3, 3]);
    expect([...(await reader.peek((_, byteCount) => byteCount >= 5))]).toEqual([0, 0, 0, 1, 1, 1]);
    expect([...(await reader.peek((_, byteCount) => byteCount >= 6))]).toHaveLength(6);
    expect(state.asked).toBe(2);
    expect([...(await reader.peek((newest) => newest.includes(2)))]).toHaveLength(9);
    expect(await rest(reader)).toEqual([0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]);
  });

  it('peeks to the end of a short stream', async () => {
    const { reader } = source([2]);
    expect(await reader.peek(headOf)).toHaveLength(2);
    expect(await rest(reader)).toEqual([0, 0]);
    expect(await source([]).reader.peek(headOf)).toHaveLength(0);
  });

  it('closes a source that is not read to the end', async () => {
    const { state, reader } = source([1, 1]);
    await reader.peek(() => false);
    const other = source([1, 1]);
    await other.reader.peek((_, byteCount) => byteCount > 0);
    await other.reader.close();
    expect(other.state.isClosed).toBe(true);
    expect(state.isClosed).toBe(true);
  });
});
