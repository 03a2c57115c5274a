import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { chunksOf, type Engine, startEngine, tensorFromChunks, tf } from '../../src/engine/index.js';
import { ByteifyError } from '../../src/errors.js';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine({ threads: 2 });
});

async function* inChunks(bytes: Uint8Array, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  const ends = [...cuts, bytes.length].sort((a, b) => a - b);
  let from = 0;
  for (const to of ends) {
    yield bytes.subarray(from, to);
    from = to;
  }
}

const bytesOf = (values: Float32Array) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

describe('a tensor in chunks', () => {
  it('is the same tensor whatever the chunks, even if some are empty or of odd size', async () => {
    const shape = fc.array(fc.nat(5), { maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(shape, fc.array(fc.nat(1000), { maxLength: 6 }), fc.nat(), async (dims, places, salt) => {
        const before = engine.liveHandles();
        const size = dims.reduce((a, b) => a * b, 1);
        const values = Float32Array.from({ length: size }, (_, i) => Math.fround(Math.sin(i + salt)));
        const cuts = places.map((place) => (size === 0 ? 0 : place % (4 * size + 1)));
        const tensor = await tensorFromChunks(dims, inChunks(bytesOf(values), cuts));
        expect([tensor.shape, tensor.dtype]).toEqual([dims, 'float32']);
        expect(new Float32Array(tensor.dataSync())).toEqual(values);
        expect(Buffer.concat([...chunksOf(tensor)])).toEqual(Buffer.from(bytesOf(values)));
        tensor.dispose();
        expect(engine.liveHandles()).toBe(before);
      }),
      { numRuns: 100 },
    );
  });

  it('is read in order if it is larger than one chunk', () => {
    const size = 16 * 2 ** 20 + 3; // one chunk of 64 MiB and 12 bytes; all values are exact
    const tensor = tf.range(3 - size, 3, 1, 'float32');
    const parts = [...chunksOf(tensor)];
    expect(parts.map(({ length }) => length)).toEqual([64 * 2 ** 20, 12]);
    const at = (part: number, i: number) => new DataView(parts[part]!.buffer).getFloat32(4 * i, true);
    expect([at(0, 0), at(0, 2 ** 24 - 1), at(1, 0), at(1, 2)]).toEqual([-(2 ** 24), -1, 0, 2]);
    tensor.dispose();
  });

  it('is read into copies, which outlive the tensor and can be written to', () => {
    const tensor = tf.tensor1d([1, 2]);
    const [chunk] = [...chunksOf(tensor)] as [Uint8Array];
    chunk.fill(0);
    expect([...tensor.dataSync()]).toEqual([1, 2]);
    tensor.dispose();
    expect(chunk.length).toBe(8);
  });

  it.each([
    ['one byte too many', 25, /more bytes than its size/],
    ['one byte too few', 23, /24 bytes received only 23/],
    ['none', 0, /24 bytes received only 0/],
  ])('is refused with %s, and leaks nothing', async (_name, count, message) => {
    const before = engine.liveHandles();
    const given = tensorFromChunks([2, 3], inChunks(new Uint8Array(count), [5, 11]));
    await expect(given).rejects.toThrow(message);
    await expect(given).rejects.toBeInstanceOf(ByteifyError);
    expect(engine.liveHandles()).toBe(before);
  });

  it('is released if its source fails, or its reader stops', async () => {
    const before = engine.liveHandles();
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(4);
      throw new Error('the disk is gone');
    }
    await expect(tensorFromChunks([2], failing())).rejects.toThrow('the disk is gone');
    const tensor = tf.ones([3]);
    for (const _piece of chunksOf(tensor)) break;
    tensor.dispose();
    expect(engine.liveHandles()).toBe(before);
  });

  it('is refused if it has no elements but receives bytes', async () => {
    await expect(tensorFromChunks([0, 3], inChunks(new Uint8Array(1), []))).rejects.toThrow(/more bytes/);
  });
});
