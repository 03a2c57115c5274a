import { mkdirSync } from 'node:fs';
import { open, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteifyError } from '../../src/errors.js';
import {
  type Dtype,
  openSafetensorsFile,
  type TensorInfo,
  tensorBytes,
  writeSafetensorsFile,
} from '../../src/safetensors/index.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { entry, filled, refusal, writeRaw } from './samples.js';

const folder = temporaryFolder();
const path = () => join(folder(), 'model.safetensors');

describe('a safetensors file', () => {
  it('is read beyond 4 GiB, whatever the length of a tensor', async () => {
    const size = 5 * 2 ** 30;
    await writeRaw(path(), JSON.stringify({ big: entry(0, size - 1), last: entry(size - 1, size) }));
    const file = await open(path(), 'r+');
    const { size: header } = await file.stat();
    await file.truncate(header + size); // sparse: it takes no disk space
    await file.write(Uint8Array.of(7, 8, 9), 0, 3, header + 4.5 * 2 ** 30);
    await file.write(Uint8Array.of(42), 0, 1, header + size - 1);
    await file.close();
    const reader = await openSafetensorsFile(path());
    expect([...(await reader.read('last'))]).toEqual([42]);
    expect([...(await reader.read('big', { offset: 4.5 * 2 ** 30 - 1, length: 5 }))]).toEqual([0, 7, 8, 9, 0]);
    await reader.close();
  });

  it('is read as a whole even if it is longer than a read call', async () => {
    const [size, mark] = [150 * 2 ** 20, 64 * 2 ** 20];
    await writeRaw(path(), JSON.stringify({ a: entry(0, size) }));
    const file = await open(path(), 'r+');
    const { size: header } = await file.stat();
    await file.truncate(header + size);
    await file.write(Uint8Array.of(1, 2), 0, 2, header + mark - 1);
    await file.close();
    const reader = await openSafetensorsFile(path());
    const bytes = await reader.read('a');
    expect([bytes.length, ...bytes.subarray(mark - 2, mark + 2)]).toEqual([size, 0, 1, 2, 0]);
    await reader.close();
  });

  it('may have spaces after its JSON, and tensors in any order', async () => {
    const header = JSON.stringify({ b: entry(2, 3), a: entry(0, 2), none: entry(2, 2) });
    await writeRaw(path(), `${header}    `, Uint8Array.of(1, 2, 3));
    const reader = await openSafetensorsFile(path());
    expect([...(await reader.read('a')), ...(await reader.read('b'))]).toEqual([1, 2, 3]);
    expect((await reader.read('none')).length).toBe(0);
    await reader.close();
  });

  it.each([
    ['outside the tensor', { offset: 2, length: 3 }],
    ['before its beginning', { offset: -1, length: 2 }],
    ['not a whole number', { offset: 0.5, length: 1 }],
    ['not a number', { offset: 0, length: Number.NaN }],
  ])('refuses a range that is %s', async (_what, range) => {
    await writeRaw(path(), JSON.stringify({ a: entry(0, 4) }), new Uint8Array(4));
    const reader = await openSafetensorsFile(path());
    expect(await refusal(reader.read('a', range))).toMatch(/outside tensor "a" of 4 bytes/);
    expect(await refusal(reader.read('z'))).toMatch(/lacks the tensor "z"/);
    await reader.close();
  });

  it('that shrinks while it is open is reported', async () => {
    await writeRaw(path(), JSON.stringify({ a: entry(0, 4) }), new Uint8Array(4));
    const reader = await openSafetensorsFile(path());
    await truncate(path(), 60);
    expect(await refusal(reader.read('a'))).toMatch(/ended .* bytes? early/);
    await reader.close();
  });

  it.each<[Dtype, number[], number]>([
    ['F8_E8M0', [4], 4],
    ['F8_E4M3FNUZ', [2, 2], 4],
    ['F8_E5M2FNUZ', [4], 4],
    ['F6_E2M3', [2, 4], 6],
    ['F6_E3M2', [8], 6],
    ['F4', [3, 2], 3],
    ['C64', [2], 16],
  ])('may contain %s, in as many bytes as its bits fill', async (dtype, shape, bytes) => {
    await writeRaw(
      path(),
      JSON.stringify({ a: entry(0, bytes, { dtype, shape }) }),
      Uint8Array.from({ length: bytes }, (_, i) => i),
    );
    const reader = await openSafetensorsFile(path());
    expect(reader.tensors.get('a')).toMatchObject({ dtype, shape });
    expect([...(await reader.read('a', { offset: 1, length: 2 }))]).toEqual([1, 2]);
    expect((await reader.read('a')).length).toBe(bytes);
    await reader.close();
  });

  it('may have null as its metadata, as in Python’s library', async () => {
    await writeRaw(path(), JSON.stringify({ __metadata__: null, a: entry(0, 1) }), new Uint8Array(1));
    const reader = await openSafetensorsFile(path());
    expect(reader.metadata).toEqual({});
    await reader.close();
  });

  it.each([
    [
      'a git-lfs pointer',
      'version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 12\n',
      /is a git-lfs pointer/,
    ],
    ['a web page', '<!doctype html><html></html>', /is a web page/],
    ['empty', '', /is empty/],
  ])('that is %s is refused with that reason', async (_what, text, message) => {
    await writeFile(path(), text);
    expect(await refusal(openSafetensorsFile(path()))).toMatch(message);
  });

  it('whose length looks like an archive is still read', async () => {
    const header = JSON.stringify({ a: entry(0, 1) });
    // 0x8b1f: the first two bytes of gzip.
    await writeRaw(path(), header.padEnd(0x8b1f, ' '), new Uint8Array(1));
    const reader = await openSafetensorsFile(path());
    expect(reader.tensors.size).toBe(1);
    await reader.close();
  });

  it('must be an existing file', async () => {
    expect(await refusal(openSafetensorsFile(path()))).toMatch(/does not exist/);
    mkdirSync(path());
    expect(await refusal(openSafetensorsFile(path()))).toMatch(/is not a file/);
  });
});

describe('a header is refused with', () => {
  /** A placeholder for lists that are nested too deeply for any recursive function. */
  const DEEP = '@deep';
  it.each<[string, object, number, RegExp]>([
    ['overlapping tensors', { a: entry(0, 4), b: entry(2, 6) }, 6, /"b" overlaps/],
    ['a tensor inside another', { a: entry(0, 6), b: entry(2, 4) }, 6, /"b" overlaps/],
    ['an empty tensor inside another', { a: entry(0, 6), b: entry(3, 3) }, 6, /"b" overlaps/],
    ['a gap', { a: entry(0, 2), b: entry(4, 6) }, 6, /gap before tensor "b"/],
    ['a gap at the beginning', { a: entry(1, 2) }, 2, /gap before tensor "a"/],
    ['a tensor outside the file', { a: entry(0, 9) }, 4, /"a" ends at 9, beyond its 4 bytes/],
    ['bytes after the last tensor', { a: entry(0, 2) }, 4, /for 2 bytes after/],
    ['data but no tensor', {}, 4, /for 4 bytes after/],
    [
      'a size other than its shape’s',
      { a: entry(0, 4, { shape: [3] }) },
      4,
      /"a" needs 3 bytes and its data_offsets span 4/,
    ],
    [
      'an end before its beginning',
      { a: entry(0, 4, { data_offsets: [4, 0] }) },
      4,
      /"a" needs 4 bytes and its data_offsets span -4/,
    ],
    ['an impossible shape', { a: entry(0, 4, { shape: [2 ** 52, 2 ** 52] }) }, 4, /"a" has an impossible shape/],
    ['a dimension over 2^53', { a: entry(0, 4, { shape: [2 ** 53] }) }, 4, /"a" has no valid shape/],
    ['a negative dimension', { a: entry(0, 4, { shape: [-4] }) }, 4, /"a" has no valid shape/],
    ['a dimension that is text', { a: entry(0, 4, { shape: ['4'] }) }, 4, /"a" has no valid shape/],
    ['1,000 dimensions', { a: entry(0, 1, { shape: Array(1000).fill(1) }) }, 1, /"a" has no valid shape/],
    ['a fractional offset', { a: entry(0, 4, { data_offsets: [0.5, 4.5] }) }, 4, /"a" has no valid data_offsets/],
    ['a negative offset', { a: entry(0, 4, { data_offsets: [-4, 0] }) }, 4, /"a" has no valid data_offsets/],
    ['three offsets', { a: entry(0, 4, { data_offsets: [0, 4, 4] }) }, 4, /"a" has no valid data_offsets/],
    [
      'packed elements that end inside a byte',
      { a: entry(0, 2, { dtype: 'F4', shape: [3] }) },
      2,
      /"a" do not fill whole bytes/,
    ],
    [
      'too many bytes of packed elements',
      { a: entry(0, 4, { dtype: 'F4', shape: [4] }) },
      4,
      /"a" needs 2 bytes and its data_offsets span 4/,
    ],
    [
      'too few bytes of packed elements',
      { a: entry(0, 4, { dtype: 'F6_E2M3', shape: [8] }) },
      4,
      /"a" needs 6 bytes and its data_offsets span 4/,
    ],
    ['an unknown type', { a: entry(0, 4, { dtype: 'Q4' }) }, 4, /"a" has the unknown type "Q4"/],
    [
      'a type named like an inherited property',
      { a: entry(0, 4, { dtype: 'toString' }) },
      4,
      /unknown type "toString"/,
    ],
    ['a type of 100,000 nested lists', { a: entry(0, 4, { dtype: DEEP }) }, 4, /unknown type a value that is no/],
    ['an invalid entry', { a: 1 }, 0, /"a" has no description/],
    ['a name of 10,000 letters', { ['a'.repeat(10_000)]: 1 }, 0, /a{100}"… has no description/],
    ['a name that moves the cursor', { '\u001b[2J': 1 }, 0, /"\\u001b\[2J" has no description/],
    ['metadata that is not text', { __metadata__: { a: 1 } }, 0, /__metadata__/],
    ['metadata that is a list', { __metadata__: ['a'] }, 0, /__metadata__/],
    ['not an object', [], 0, /does not begin with \{/],
  ])('%s', async (_what, header, data, message) => {
    const nested = JSON.stringify(header).replace(`"${DEEP}"`, '['.repeat(100_000) + ']'.repeat(100_000));
    await writeRaw(path(), nested, new Uint8Array(data));
    const found = await refusal(openSafetensorsFile(path()));
    expect(found).toMatch(message);
    expect(found).toContain(path());
  });

  const one = '{"dtype":"U8","shape":[1],"data_offsets":[0,1]}';
  it.each<[string, string | Uint8Array, RegExp]>([
    ['a duplicate name', `{"a":${one},"\\u0061":${one}}`, /names "a" twice/],
    ['a duplicate type', `{"a":{"dtype":"U8","dtype":"I8","shape":[1],"data_offsets":[0,1]}}`, /names "dtype" twice/],
    ['duplicate metadata', `{"__metadata__":{"k":"1","k":"2"},"a":${one}}`, /names "k" twice/],
    ['text that is not JSON', '{"a":', /not JSON/],
    ['text after its JSON', `{"a":${one}}x`, /not JSON/],
    ['bytes that are not UTF-8', Uint8Array.of(0x7b, 0xff, 0x7d), /not UTF-8/],
    ['a byte order mark', `\ufeff{"a":${one}}`, /does not begin with \{/],
    ['spaces before it', ` {"a":${one}}`, /does not begin with \{/],
    ['nothing', '', /does not begin with \{/],
    ['100,000 lists', '{"a":'.concat('['.repeat(100_000)), /not JSON/],
  ])('%s', async (_what, header, message) => {
    await writeRaw(path(), header, new Uint8Array(1));
    expect(await refusal(openSafetensorsFile(path()))).toMatch(message);
  });

  it.each([
    ['that is too short', Uint8Array.of(1, 2, 3), /shorter than 8 bytes/],
    ['beyond 2^63', Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 255), /would be 18446744073709551615 bytes long/],
    ['beyond 100 MB', Uint8Array.of(1, 225, 245, 5, 0, 0, 0, 0), /would be 100000001 bytes long/],
    ['beyond the file', Uint8Array.of(100, 0, 0, 0, 0, 0, 0, 0, 123), /100 bytes does not fit into 9/],
  ])('a length %s', async (_what, bytes, message) => {
    await writeFile(path(), bytes);
    expect(await refusal(openSafetensorsFile(path()))).toMatch(message);
  });
});

it('a tensor may have the name of an inherited property', async () => {
  const infos: TensorInfo[] = ['__proto__', 'constructor', 'toString'].map((name) => ({
    name,
    dtype: 'U8',
    shape: [3],
  }));
  await writeSafetensorsFile(path(), infos, filled);
  const reader = await openSafetensorsFile(path());
  expect([...reader.tensors.keys()]).toEqual(infos.map(({ name }) => name));
  for (const info of infos) expect(await reader.read(info.name)).toEqual(filled(info));
  await reader.close();
});

it('a damaged file is refused, or read correctly', async () => {
  const infos: TensorInfo[] = [
    { name: 'a', dtype: 'F32', shape: [3] },
    { name: 'b', dtype: 'BF16', shape: [2, 2] },
  ];
  await writeSafetensorsFile(path(), infos, filled);
  const bytes = await readFile(path());
  const headerEnd = bytes.length - 20;
  const damage = fc.oneof(
    fc.record({ cut: fc.integer({ min: 0, max: bytes.length - 1 }) }),
    fc.record({ at: fc.integer({ min: 0, max: headerEnd - 1 }), value: fc.integer({ min: 0, max: 255 }) }),
    fc.record({
      at: fc.integer({ min: 8, max: headerEnd - 1 }),
      value: fc.constantFrom(...Buffer.from('0123456789-,[]{}":e ')),
    }),
    fc.record({ added: fc.uint8Array({ minLength: 1, maxLength: 40 }) }),
  );
  let read = 0;
  await fc.assert(
    fc.asyncProperty(damage, async (change) => {
      const copy = Buffer.from(bytes);
      if ('at' in change) copy[change.at] = change.value;
      const damaged = join(folder(), 'damaged');
      await writeFile(
        damaged,
        'cut' in change ? copy.subarray(0, change.cut) : 'added' in change ? Buffer.concat([copy, change.added]) : copy,
      );
      const reader = await openSafetensorsFile(damaged).catch((thrown: unknown) => {
        if (thrown instanceof ByteifyError) return null;
        throw thrown;
      });
      if (reader === null) return;
      read++;
      // Whatever the names and types are now, the data are the file's own bytes in order.
      const all: Uint8Array[] = [];
      for (const info of reader.tensors.values()) {
        all.push(await reader.read(info.name));
        expect(all.at(-1)!.length).toBe(tensorBytes(info));
      }
      expect(Buffer.concat(all)).toEqual(bytes.subarray(headerEnd));
      await reader.close();
    }),
    { numRuns: 500 },
  );
  expect(read).toBeGreaterThan(0);
});
