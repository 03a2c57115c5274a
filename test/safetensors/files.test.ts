import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { open, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { ByteifyError } from '../../src/errors.js';
import {
  type Dtype,
  INDEX_FILE,
  openCheckpoint,
  openSafetensorsFile,
  type TensorInfo,
  tensorBytes,
  writeCheckpoint,
  writeSafetensorsFile,
} from '../../src/safetensors/index.js';

const folder = mkdtempSync(join(tmpdir(), 'byteify-safetensors-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;
const fresh = () => join(folder, `file-${files++}.safetensors`);

function filled(info: TensorInfo): Uint8Array {
  return Uint8Array.from({ length: tensorBytes(info) }, (_, i) => (i * 31 + info.name.length) & 255);
}

/** A file with any header text and any data. */
async function writeRaw(header: string, data = new Uint8Array(0)): Promise<string> {
  const text = new TextEncoder().encode(header);
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(text.length), true);
  const path = fresh();
  await writeFile(path, Buffer.concat([length, text, data]));
  return path;
}

const entry = (begin: number, end: number, extra: object = {}) => ({
  dtype: 'U8',
  shape: [end - begin],
  data_offsets: [begin, end],
  ...extra,
});

describe('a safetensors file', () => {
  const dtype = fc.constantFrom<Dtype>('F32', 'BF16', 'F16', 'U8', 'I64', 'BOOL', 'F64');
  const shape = fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 4 });
  const tensors = fc
    .uniqueArray(fc.record({ name: fc.string({ minLength: 1 }), dtype, shape }), {
      selector: ({ name }) => name,
      maxLength: 8,
    })
    .filter((all) => all.every(({ name }) => name !== '__metadata__' && name !== '__proto__'));

  it('gives back what was written, whole and by range', async () => {
    await fc.assert(
      fc.asyncProperty(tensors, async (infos) => {
        const path = fresh();
        await writeSafetensorsFile(path, infos, filled);
        const reader = await openSafetensorsFile(path);
        expect(reader.metadata).toEqual({ format: 'pt' });
        expect([...reader.tensors.keys()].sort()).toEqual(infos.map(({ name }) => name).sort());
        for (const info of infos) {
          expect(reader.tensors.get(info.name)).toMatchObject(info);
          expect(await reader.read(info.name)).toEqual(filled(info));
          const half = Math.floor(tensorBytes(info) / 2);
          expect(await reader.read(info.name, { offset: half, length: tensorBytes(info) - half })).toEqual(
            filled(info).subarray(half),
          );
        }
        await reader.close();
      }),
      { numRuns: 40 },
    );
  });

  it('is never half-written: a source that gives too little leaves nothing', async () => {
    const before = readdirSync(folder).length;
    const path = fresh();
    const write = writeSafetensorsFile(path, [{ name: 'a', dtype: 'F32', shape: [4] }], () => new Uint8Array(15));
    await expect(write).rejects.toThrow(/tensor a needs 16 bytes and was given 15/);
    expect(readdirSync(folder).length).toBe(before);
  });

  it('is read beyond 4 GiB', async () => {
    const size = 5 * 2 ** 30;
    const path = await writeRaw(JSON.stringify({ big: entry(0, size - 1), last: entry(size - 1, size) }));
    const file = await open(path, 'r+');
    const { size: header } = await file.stat();
    await file.truncate(header + size); // sparse
    await file.write(Uint8Array.of(42), 0, 1, header + size - 1);
    await file.close();
    const reader = await openSafetensorsFile(path);
    expect([...(await reader.read('last'))]).toEqual([42]);
    expect([...(await reader.read('big', { offset: 4.5 * 2 ** 30, length: 3 }))]).toEqual([0, 0, 0]);
    await reader.close();
    rmSync(path);
  });

  it.each([
    ['overlapping tensors', { a: entry(0, 4), b: entry(2, 6) }, 6, /"b" overlaps/],
    ['a hole', { a: entry(0, 2), b: entry(4, 6) }, 6, /hole before tensor "b"/],
    ['a tensor outside the file', { a: entry(0, 9) }, 4, /"a" ends at 9, beyond its 4 bytes/],
    ['bytes after the last tensor', { a: entry(0, 2) }, 4, /2 bytes follow/],
    ['a size that is not its shape’s', { a: entry(0, 4, { shape: [3] }) }, 4, /"a" needs 3 bytes and is given 4/],
    ['an absurd shape', { a: entry(0, 4, { shape: [2 ** 52, 2 ** 52] }) }, 4, /"a" has an absurd shape/],
    ['a negative dimension', { a: entry(0, 4, { shape: [-4] }) }, 4, /"a" has no valid shape/],
    ['a fractional offset', { a: entry(0, 4, { data_offsets: [0.5, 4.5] }) }, 4, /"a" has no valid data_offsets/],
    ['an unknown type', { a: entry(0, 4, { dtype: 'Q4' }) }, 4, /"a" has the unknown type "Q4"/],
    ['metadata that is not text', { __metadata__: { a: 1 } }, 0, /__metadata__/],
    ['a header that is no object', [], 0, /not an object/],
  ])('is refused with %s', async (_what, header, data, message) => {
    const path = await writeRaw(JSON.stringify(header), new Uint8Array(data));
    const error = await openSafetensorsFile(path).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ByteifyError);
    expect((error as ByteifyError).message).toMatch(message);
    expect((error as ByteifyError).message).toContain(path);
  });

  it.each([
    [
      'a name twice',
      '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"\\u0061":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}',
      /"a" twice/,
    ],
    ['text that is not JSON', '{"a":', /not JSON/],
  ])('is refused with %s', async (_what, header, message) => {
    await expect(openSafetensorsFile(await writeRaw(header, new Uint8Array(1)))).rejects.toThrow(message);
  });

  it('is refused when its header cannot fit', async () => {
    const path = fresh();
    for (const bytes of [
      Uint8Array.of(1, 2, 3),
      Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 127),
      Uint8Array.of(100, 0, 0, 0, 0, 0, 0, 0, 123),
    ]) {
      await writeFile(path, bytes);
      await expect(openSafetensorsFile(path)).rejects.toThrow(ByteifyError);
    }
  });

  it('that is damaged is refused or read right, never crashes otherwise', async () => {
    const sound = fresh();
    const infos: TensorInfo[] = [
      { name: 'a', dtype: 'F32', shape: [3] },
      { name: 'b', dtype: 'BF16', shape: [2, 2] },
    ];
    await writeSafetensorsFile(sound, infos, filled);
    const bytes = await readFile(sound);
    const damaged = fresh();
    const damage = fc.oneof(
      fc.record({ cut: fc.integer({ min: 0, max: bytes.length - 1 }) }),
      fc.record({ at: fc.integer({ min: 0, max: bytes.length - 20 - 1 }), value: fc.integer({ min: 0, max: 255 }) }),
    );
    await fc.assert(
      fc.asyncProperty(damage, async (change) => {
        const copy = Buffer.from(bytes);
        await writeFile(
          damaged,
          'cut' in change ? copy.subarray(0, change.cut) : (copy.fill(change.value, change.at, change.at + 1), copy),
        );
        const reader = await openSafetensorsFile(damaged).catch((thrown: unknown) => {
          expect(thrown).toBeInstanceOf(ByteifyError);
          return null;
        });
        if (reader === null) return;
        for (const info of reader.tensors.values())
          expect((await reader.read(info.name)).length).toBe(tensorBytes(info));
        await reader.close();
      }),
      { numRuns: 300 },
    );
  });

  it('without __metadata__ is read by the npm package safetensors 0.0.1', async () => {
    const { SafeTensor } = createRequire(import.meta.url)('safetensors') as {
      SafeTensor: new (bytes: Uint8Array) => { getTensor(name: string): Uint8Array };
    };
    const path = fresh();
    const info: TensorInfo = { name: 'weight', dtype: 'F32', shape: [2, 3] };
    await writeSafetensorsFile(path, [info], filled, { metadata: null });
    // The package reads its buffer from the beginning: it wants one of its own.
    const whole = new SafeTensor(Uint8Array.from(await readFile(path)));
    expect(new Uint8Array(whole.getTensor('weight'))).toEqual(filled(info));
  });
});

describe('a sharded checkpoint', () => {
  const infos: TensorInfo[] = Array.from({ length: 5 }, (_, i) => ({ name: `t${i}`, dtype: 'U8', shape: [100] }));
  const shardedIn = async () => {
    const path = mkdtempSync(join(folder, 'shards-'));
    const { files: names } = await writeCheckpoint(path, infos, filled, { maxShardBytes: 250 });
    expect(names).toEqual([
      'model-00001-of-00003.safetensors',
      'model-00002-of-00003.safetensors',
      'model-00003-of-00003.safetensors',
      INDEX_FILE,
    ]);
    return path;
  };
  const changeIndex = async (path: string, change: (map: Record<string, string>) => void) => {
    const index = JSON.parse(await readFile(join(path, INDEX_FILE), 'utf8')) as { weight_map: Record<string, string> };
    change(index.weight_map);
    await writeFile(join(path, INDEX_FILE), JSON.stringify(index));
  };

  it('is read as one', async () => {
    const reader = await openCheckpoint(await shardedIn());
    for (const info of infos) expect(await reader.read(info.name)).toEqual(filled(info));
    expect(reader.files.length).toBe(3);
    await reader.close();
  });

  it.each<[string, (map: Record<string, string>) => void, RegExp]>([
    ['leaves the folder', (map) => Object.assign(map, { t0: '../other.safetensors' }), /places t0 in "\.\.\/other/],
    ['is absolute', (map) => Object.assign(map, { t0: '/etc/passwd' }), /places t0/],
    [
      'names a shard that is absent',
      (map) => Object.assign(map, { t0: 'model-00009-of-00003.safetensors' }),
      /cannot be opened/,
    ],
    [
      'names a tensor that its shard lacks',
      (map) => Object.assign(map, { t9: 'model-00001-of-00003.safetensors' }),
      /which lacks it/,
    ],
    ['forgets a tensor', (map) => delete map.t1, /holds t1/],
  ])('is refused when its index %s', async (_what, change, message) => {
    const path = await shardedIn();
    await changeIndex(path, change);
    await expect(openCheckpoint(path)).rejects.toThrow(message);
  });

  it('is refused when there are no weights', async () => {
    await expect(openCheckpoint(mkdtempSync(join(folder, 'empty-')))).rejects.toThrow(/neither model.safetensors nor/);
  });
});
