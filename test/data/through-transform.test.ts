import { Transform } from 'node:stream';
import { createGzip, gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { throughTransform } from '../../src/data/through-transform.js';

async function* each<Value>(values: readonly Value[]): AsyncGenerator<Value> {
  yield* values;
}

describe('a stream of zlib', () => {
  it('consumes a chunk before the next is requested', async () => {
    const stream = createGzip();
    const chunks = Array.from({ length: 5 }, (_, i) => Buffer.alloc(300_000, i));
    let given = 0;
    async function* counted() {
      for (const chunk of chunks) {
        expect(stream.bytesWritten).toBe(given);
        given += chunk.length;
        yield chunk;
      }
    }
    const parts: Uint8Array[] = [];
    for await (const part of throughTransform(stream, counted())) parts.push(part);
    expect(gunzipSync(Buffer.concat(parts)).equals(Buffer.concat(chunks))).toBe(true);
    expect(stream.destroyed).toBe(true);
  });

  it('fails with its own error, or with that of the chunks', async () => {
    const failing = () =>
      new Transform({ transform: (_chunk, _encoding, done) => done(new Error('the stream failed')) });
    const all = async (chunks: AsyncIterable<Uint8Array>) => {
      for await (const _ of throughTransform(failing(), chunks)) expect.unreachable();
    };
    await expect(all(each([Buffer.from('a')]))).rejects.toThrow('the stream failed');
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield* each<Uint8Array>([]);
      throw new Error('the chunks failed');
    }
    await expect(all(broken())).rejects.toThrow('the chunks failed');
  });

  it('is destroyed with its source if the consumer stops early', async () => {
    const stream = new Transform({ transform: (chunk, _encoding, done) => done(null, chunk) });
    let isClosed = false;
    async function* endless() {
      try {
        for (;;) yield Buffer.alloc(1000);
      } finally {
        isClosed = true;
      }
    }
    for await (const _ of throughTransform(stream, endless())) break;
    expect(stream.destroyed).toBe(true);
    expect(isClosed).toBe(true);
  });
});
