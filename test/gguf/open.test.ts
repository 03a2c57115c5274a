import { readFileSync } from 'node:fs';
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteifyError } from '../../src/errors.js';
import { openGguf, quantisedTypes } from '../../src/gguf/index.js';
import { toFloat32 } from '../../src/safetensors/index.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { array, type Sample, sampleGguf, string, text, typed, u64 } from './samples.js';

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/gguf/${name}`, import.meta.url));
const tiny = fixture('tiny.gguf');
const folder = temporaryFolder();

async function written(bytes: Uint8Array): Promise<string> {
  const path = join(folder(), 'sample.gguf');
  await writeFile(path, bytes);
  return path;
}

async function refusal(bytes: Uint8Array): Promise<string> {
  const path = await written(bytes);
  const error = await openGguf(path).then(
    () => new Error('it was not refused'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ByteifyError)) throw error;
  expect(error.message).toContain(path);
  expect(error.message.length).toBeLessThan(500);
  return error.message;
}

describe('a GGUF file', () => {
  it('written by the Python package gguf is read with its key-values and tensors', async () => {
    const file = await openGguf(tiny);
    expect(file.keyValues.get('general.architecture')).toBe('llama');
    expect(file.keyValues.get('llama.context_length')).toBe(64);
    expect(file.keyValues.get('tokenizer.ggml.tokens')).toEqual(['<end>', 'a', 'b', 'ab', 'Ġ']);
    expect(file.keyValues.get('tokenizer.ggml.add_bos_token')).toBe(false);
    const down = { name: 'blk.0.ffn_down.weight', dtype: 'F32', shape: [32, 64] };
    expect(file.tensors.get(down.name)).toEqual(down);
    expect(file.storedTypes.get(down.name)).toBe('Q8_0');
    expect(quantisedTypes(['F32', 'Q8_0', 'Q4_1', 'BF16', 'Q4_1'])).toEqual(['Q4_1', 'Q8_0']);
    expect(file.tensors.get('blk.0.attn_v.weight')?.dtype).toBe('F16');
    const sums = JSON.parse(readFileSync(fixture('tiny-sums.json'), 'utf8')) as Record<string, number>;
    expect(Object.keys(sums).sort()).toEqual([...file.tensors.keys()].sort());
    for (const [name, wanted] of Object.entries(sums)) {
      const values = toFloat32(await file.read(name), file.tensors.get(name)!.dtype);
      const found = values.reduce((sum, value) => sum + Math.abs(value), 0);
      expect(found, name).toBeCloseTo(wanted, 4);
    }
    await file.close();
  });

  it('can contain values of every type, including nested lists', async () => {
    const path = await written(
      sampleGguf({
        version: 2,
        keyValues: [
          ['u8', typed(0, Uint8Array.of(255))],
          ['i8', typed(1, Uint8Array.of(255))],
          ['u16', typed(2, Uint8Array.of(1, 255))],
          ['i16', typed(3, Uint8Array.of(1, 255))],
          ['u32', typed(4, Uint8Array.of(0, 0, 0, 255))],
          ['i32', typed(5, Uint8Array.of(0, 0, 0, 255))],
          ['f32', typed(6, Buffer.from(Float32Array.of(1.5).buffer))],
          ['bool', typed(7, Uint8Array.of(1))],
          ['text', string('hé\0')],
          ['u64', typed(10, u64(2n ** 64n - 1n))],
          ['i64', typed(11, u64(2n ** 64n - 1n))],
          ['f64', typed(12, Buffer.from(Float64Array.of(0.1).buffer))],
          ['numbers', array(3, Uint8Array.of(1, 0), Uint8Array.of(255, 255))],
          ['texts', array(8, text('a'), text(''))],
          // An element of a list is not preceded by its type, so the inner list's type is removed.
          ['lists', array(9, array(0, Uint8Array.of(1)).subarray(4), array(8, text('x')).subarray(4))],
          ['nothing', array(9)],
        ],
      }),
    );
    const file = await openGguf(path);
    expect(Object.fromEntries(file.keyValues)).toEqual({
      u8: 255,
      i8: -1,
      u16: 0xff01,
      i16: -255,
      u32: 0xff000000,
      i32: -(2 ** 24),
      f32: 1.5,
      bool: true,
      text: 'hé\0',
      u64: 2n ** 64n - 1n,
      i64: -1n,
      f64: 0.1,
      numbers: [1, -1],
      texts: ['a', ''],
      lists: [[1], ['x']],
      nothing: [],
    });
    await file.close();
  });

  it.each([
    ['u32', typed(4, Uint8Array.of(8, 0, 0, 0))],
    ['u64', typed(10, u64(8))],
  ])('may have another alignment (a %s) and another order of tensors', async (_type, alignment) => {
    const tensors = [
      { name: 'b', dims: [1], offset: 8 },
      { name: 'a', dims: [] },
      { name: 'none', dims: [0], offset: 8 },
    ];
    const path = await written(
      sampleGguf({ keyValues: [['general.alignment', alignment]], tensors, alignment: 8, dataBytes: 12 }),
    );
    const file = await openGguf(path);
    expect([...(await file.read('a')), ...(await file.read('b')), ...(await file.read('none'))]).toEqual([
      0, 1, 2, 3, 8, 9, 10, 11,
    ]);
    await file.close();
  });

  it('is read in any range of whole floats', async () => {
    const file = await openGguf(tiny);
    const whole = await file.read('blk.0.attn_q.weight');
    const floats = fc.integer({ min: 0, max: whole.length / 4 });
    await fc.assert(
      fc.asyncProperty(floats, floats, async (a, b) => {
        const [from, to] = [Math.min(a, b) * 4, Math.max(a, b) * 4];
        const found = await file.read('blk.0.attn_q.weight', { offset: from, length: to - from });
        expect(found).toEqual(whole.slice(from, to));
      }),
    );
    const read = (offset: number, length: number) => file.read('blk.0.attn_q.weight', { offset, length });
    await expect(read(0, whole.length + 4)).rejects.toThrow(/lie outside tensor "blk\.0\.attn_q\.weight"/);
    await expect(read(2, 4)).rejects.toThrow(/must be whole floats/);
    await expect(file.read('blk.7')).rejects.toThrow(/lacks the tensor "blk\.7"/);
    await file.close();
  });

  it('is read beyond 4 GiB, with quantised tensors in several chunks', async () => {
    const Q8_0 = { type: 8, blockBytes: 34 };
    const [blocks, farBlocks] = [2 ** 20, 5 * 2 ** 27];
    const path = await written(
      sampleGguf({
        tensors: [
          { name: 'near', dims: [32, blocks], type: Q8_0.type },
          { name: 'far', dims: [32, farBlocks], type: Q8_0.type, offset: Math.ceil((blocks * 34) / 32) * 32 },
        ],
      }),
    );
    const file = await open(path, 'r+');
    const { size } = await file.stat();
    const farAt = size + Math.ceil((blocks * 34) / 32) * 32;
    await file.truncate(farAt + farBlocks * Q8_0.blockBytes); // sparse: it takes no disk space
    const one = Uint8Array.of(0, 0x3c, 7); // scale 1, first weight 7
    const [beyond, last] = [16 * 2 ** 20 - ((16 * 2 ** 20) % 34), (blocks - 1) * 34];
    for (const at of [size + beyond, size + last, farAt + (farBlocks - 1) * 34]) await file.write(one, 0, 3, at);
    await file.close();

    const reader = await openGguf(path);
    const values = toFloat32(await reader.read('near'), 'F32');
    expect(values.reduce((sum, value) => sum + value, 0)).toBe(14);
    expect([values[(beyond / 34) * 32], values[(blocks - 1) * 32]]).toEqual([7, 7]);
    const end = farBlocks * 32 * 4;
    expect([...toFloat32(await reader.read('far', { offset: end - 128 - 4, length: 12 }), 'F32')]).toEqual([0, 7, 0]);
    await reader.close();
  });

  it('that is one of several parts, or contains an unsupported type, is refused by name', async () => {
    const split = sampleGguf({ keyValues: [['split.count', typed(2, Uint8Array.of(3, 0))]] });
    expect(await refusal(split)).toMatch(/one of the 3 files/);
    const wide = sampleGguf({ keyValues: [['split.count', typed(10, u64(3))]] });
    expect(await refusal(wide)).toMatch(/one of the 3 files/);
    expect(await refusal(sampleGguf({ tensors: [{ type: 31 }] }))).toMatch(/is stored as Q4_0_4_4 \(removed/);
    expect(await refusal(sampleGguf({ tensors: [{ type: 16 }] }))).toMatch(/"a" is stored as IQ2_XXS/);
    expect(await refusal(sampleGguf({ tensors: [{ type: 999 }] }))).toMatch(/"a" is stored as type number 999/);
  });
});

describe('a GGUF file is refused with', () => {
  const alignment = (value: number) => [['general.alignment', typed(4, Uint8Array.of(value, 0, 0, 0))]] as const;
  it.each<[string, Sample, RegExp]>([
    ['version 1', { version: 1 }, /is a GGUF file of version 1/],
    ['version 4', { version: 4 }, /of version 4/],
    ['big-endian numbers', { version: 3 << 24 }, /big-endian/],
    [
      'a duplicate key',
      {
        keyValues: [
          ['k', string('')],
          ['k', string('')],
        ],
      },
      /key "k" twice/,
    ],
    ['a key that is not UTF-8', { keyValues: [[Uint8Array.of(255), string('')]] }, /a key is not UTF-8/],
    [
      'a text that is not UTF-8',
      { keyValues: [['k', typed(8, text(Uint8Array.of(255)))]] },
      /a string of "k" is not UTF-8/,
    ],
    ['a value of an unknown type', { keyValues: [['k', typed(13)]] }, /"k" has the unknown type 13/],
    ['a list of an unknown type', { keyValues: [['k', typed(9, typed(13, u64(1)))]] }, /"k" has the unknown type 13/],
    ['an oversized list', { keyValues: [['k', typed(9, typed(0, u64(2n ** 40n)))]] }, /length of "k" of 1099511627776/],
    ['a list beyond the file', { keyValues: [['k', typed(9, typed(12, u64(1e6)))]] }, /ends inside its header/],
    ['texts beyond the file', { keyValues: [['k', typed(9, typed(8, u64(1e6)))]] }, /ends inside its header/],
    ['an oversized text', { keyValues: [['k', typed(8, u64(2n ** 63n))]] }, /string of "k" of 9223372036854775808/],
    [
      'lists that are nested too deeply',
      { keyValues: [['k', typed(9, ...Array(9).fill(typed(9, u64(1))))]] },
      /"k" are nested too deeply/,
    ],
    ['an alignment of 0', { keyValues: alignment(0) }, /alignment is not a power of two/],
    ['an alignment of 12', { keyValues: alignment(12) }, /alignment is not a power of two/],
    ['an alignment that is text', { keyValues: [['general.alignment', string('32')]] }, /alignment is not a power/],
    ['a duplicate tensor', { tensors: [{}, { offset: 32 }], dataBytes: 64 }, /tensor "a" twice/],
    ['overlapping tensors', { tensors: [{ dims: [9] }, { name: 'b', offset: 32 }], dataBytes: 96 }, /"b" overlaps/],
    [
      'a tensor inside another, after an empty one',
      { tensors: [{ dims: [32] }, { name: 'n', dims: [0] }, { name: 'b', offset: 64 }], dataBytes: 128 },
      /"b" overlaps/,
    ],
    ['a tensor outside the file', { tensors: [{ dims: [9] }], dataBytes: 32 }, /"a" ends at .* beyond its/],
    ['an offset beyond the file', { tensors: [{ offset: 2 ** 50 }], dataBytes: 32 }, /"a" ends at .* beyond its/],
    ['an impossible offset', { tensors: [{ offset: 2n ** 63n }] }, /offset of tensor "a" of 9223372036854775808/],
    ['an unaligned offset', { tensors: [{ offset: 4 }], dataBytes: 64 }, /"a" does not begin at a multiple of 32/],
    ['too many dimensions', { tensors: [{ dims: Array(9).fill(1) }] }, /"a" has 9 dimensions/],
    ['an oversized dimension', { tensors: [{ dims: [2n ** 63n] }] }, /dimension of tensor "a"/],
    ['an impossible shape', { tensors: [{ dims: Array(8).fill(2n ** 40n) }] }, /"a" has an impossible shape/],
    ['rows that are not whole blocks', { tensors: [{ dims: [16, 2], type: 8 }] }, /"a" are not whole blocks of Q8_0/],
    ['a quantised scalar', { tensors: [{ dims: [], type: 8 }] }, /"a" are not whole blocks of Q8_0/],
  ])('%s', async (_what, sample, message) => {
    expect(await refusal(sampleGguf(sample))).toMatch(message);
  });

  it('impossible counts, another magic number, or an early end', async () => {
    const many = sampleGguf({});
    many.writeBigUInt64LE(2n ** 40n, 8);
    expect(await refusal(many)).toMatch(/tensor count of 1099511627776/);
    const pointer = Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 807694464\n');
    expect(await refusal(pointer)).toMatch(/is a git-lfs pointer: the file itself, of 807694464 bytes/);
    expect(await refusal(Buffer.from('tjgg0000'))).toMatch(/is a llama\.cpp model file in a format that predates GGUF/);
    expect(await refusal(Buffer.alloc(0))).toMatch(/is empty/);
    expect(await refusal(Buffer.from('GGML0000'))).toMatch(/does not begin with "GGUF"/);
    expect(await refusal(Buffer.alloc(3))).toMatch(/does not begin with "GGUF"/);
    const whole = readFileSync(tiny);
    expect(await refusal(whole.subarray(0, 100))).toMatch(/ends inside its header/);
    expect(await refusal(whole.subarray(0, whole.length - 600))).toMatch(/beyond its/);
    await expect(openGguf(folder())).rejects.toThrow(/is not a file/);
  });
});

it('a damaged file is refused, or read correctly', async () => {
  const bytes = readFileSync(tiny);
  const damage = fc.oneof(
    fc.record({ cut: fc.integer({ min: 0, max: bytes.length - 1 }) }),
    fc.record({ at: fc.integer({ min: 0, max: 2500 }), value: fc.integer({ min: 0, max: 255 }) }),
  );
  let read = 0;
  await fc.assert(
    fc.asyncProperty(damage, async (change) => {
      const copy = Buffer.from(bytes);
      if ('at' in change) copy[change.at] = change.value;
      const path = await written('cut' in change ? copy.subarray(0, change.cut) : copy);
      const file = await openGguf(path).catch((thrown: unknown) => {
        if (thrown instanceof ByteifyError) return null;
        throw thrown;
      });
      if (file === null) return;
      read++;
      for (const name of file.tensors.keys()) await file.read(name);
      await file.close();
    }),
    { numRuns: 400 },
  );
  expect(read).toBeGreaterThan(0);
});
