import { describe, expect, it } from 'vitest';
import { type Dtype, fromFloat32, type TensorReader, tensorChunks, toFloat32 } from '../../src/safetensors/index.js';

const VALUES = Float32Array.from({ length: 1000 }, (_, i) => Math.sin(i) * 10 ** ((i % 9) - 4));

function reader(dtype: 'F32' | 'F16' | 'BF16'): TensorReader & { reads: number[] } {
  const bytes = fromFloat32(VALUES, dtype);
  const reads: number[] = [];
  return {
    reads,
    tensors: new Map([['t', { name: 't', dtype: dtype as Dtype, shape: [10, 100] }]]),
    metadata: {},
    async read(_name, range = { offset: 0, length: bytes.length }) {
      reads.push(range.length);
      return bytes.subarray(range.offset, range.offset + range.length);
    },
    async close() {},
  };
}

async function collect(
  source: ReturnType<typeof reader>,
  dtype: 'F32' | 'BF16',
  chunkBytes?: number,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  const options = chunkBytes === undefined ? {} : { chunkBytes };
  for await (const chunk of tensorChunks(source, source.tensors.get('t')!, { dtype, ...options })) chunks.push(chunk);
  return Uint8Array.from(Buffer.concat(chunks));
}

describe('the chunks of a tensor', () => {
  it.each(['F32', 'BF16'] as const)('pass %s through bit for bit', async (dtype) => {
    expect(await collect(reader(dtype), dtype)).toEqual(fromFloat32(VALUES, dtype));
  });

  it('convert to the same values as the whole tensor, without splitting an element', async () => {
    const source = reader('F32');
    const whole = await collect(reader('F32'), 'BF16');
    expect(await collect(source, 'BF16', 1023)).toEqual(whole);
    expect(source.reads).toEqual([1020, 1020, 1020, 940]);
    expect(whole).toEqual(fromFloat32(VALUES, 'BF16'));
  });

  it('can be wider than the stored type', async () => {
    const widened = await collect(reader('F16'), 'F32');
    expect(widened).toEqual(fromFloat32(toFloat32(fromFloat32(VALUES, 'F16'), 'F16'), 'F32'));
  });

  it('are whole units, within the size limit even after conversion', async () => {
    const source = reader('BF16');
    const sizes: number[] = [];
    const options = { dtype: 'F32', chunkBytes: 1000, unitElements: 100 } as const;
    for await (const chunk of tensorChunks(source, source.tensors.get('t')!, options)) sizes.push(chunk.length);
    expect(sizes).toEqual([800, 800, 800, 800, 800]);
    expect(source.reads).toEqual([400, 400, 400, 400, 400]);
    source.reads.length = 0;
    const large = tensorChunks(source, source.tensors.get('t')!, { chunkBytes: 10, unitElements: 500 });
    for await (const chunk of large) expect(chunk.length).toBe(1000);
    expect(source.reads).toEqual([1000, 1000]);
  });

  it('end between two chunks when the signal is aborted', async () => {
    const source = reader('F32');
    const controller = new AbortController();
    const chunks = tensorChunks(source, source.tensors.get('t')!, {
      dtype: 'BF16',
      chunkBytes: 1024,
      signal: controller.signal,
    });
    await chunks.next();
    controller.abort();
    await expect(chunks.next()).rejects.toThrow(/abort/i);
    expect(source.reads).toHaveLength(1);
  });
});
