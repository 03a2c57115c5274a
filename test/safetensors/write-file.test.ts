import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  type Dtype,
  openSafetensorsFile,
  type TensorInfo,
  tensorBytes,
  writeSafetensorsFile,
} from '../../src/safetensors/index.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { filled, namesIn, refusal } from './samples.js';

const folder = temporaryFolder();
const path = () => join(folder(), 'model.safetensors');
const vector: TensorInfo = { name: 'a', dtype: 'F32', shape: [4] };

it('a written file is read back, as a whole and by range', async () => {
  const infos = fc
    .uniqueArray(
      fc.record({
        name: fc.string({ minLength: 1, unit: 'binary' }),
        dtype: fc.constantFrom<Dtype>('F64', 'F32', 'F16', 'BF16', 'F8_E4M3', 'I64', 'I32', 'I16', 'U8', 'BOOL'),
        shape: fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 4 }),
      }),
      { selector: ({ name }) => name, maxLength: 8 },
    )
    .filter((all) => all.every(({ name }) => name !== '__metadata__'));
  await fc.assert(
    fc.asyncProperty(infos, fc.integer({ min: 1, max: 100 }), async (tensors, chunkBytes) => {
      await writeSafetensorsFile(path(), tensors, async function* (info) {
        const bytes = filled(info);
        for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
      });
      const reader = await openSafetensorsFile(path());
      expect(reader.metadata).toEqual({ format: 'pt' });
      expect([...reader.tensors.keys()].sort()).toEqual(tensors.map(({ name }) => name).sort());
      for (const info of tensors) {
        const found = reader.tensors.get(info.name)!;
        expect([found.dtype, found.shape]).toEqual([info.dtype, info.shape]);
        expect(await reader.read(info.name)).toEqual(filled(info));
        const half = Math.floor(tensorBytes(info) / 2);
        const rest = { offset: half, length: tensorBytes(info) - half };
        expect(await reader.read(info.name, rest)).toEqual(filled(info).subarray(half));
      }
      await reader.close();
    }),
    { numRuns: 60 },
  );
});

it('a written file has a header padded to 8 bytes, the tensors in the given order, and the given metadata', async () => {
  const infos: TensorInfo[] = [
    { name: 'z', dtype: 'U8', shape: [3] },
    { name: 'a', dtype: 'F32', shape: [] },
  ];
  for (const metadata of [undefined, null, { format: 'pt', note: 'ünï' }]) {
    await writeSafetensorsFile(path(), infos, filled, metadata === undefined ? {} : { metadata });
    const bytes = await readFile(path());
    const length = Number(bytes.readBigUInt64LE());
    expect(length % 8).toBe(0);
    const header = JSON.parse(bytes.toString('utf8', 8, 8 + length)) as Record<string, unknown>;
    expect(header.__metadata__).toEqual(metadata === undefined ? { format: 'pt' } : (metadata ?? undefined));
    expect(header.z).toEqual({ dtype: 'U8', shape: [3], data_offsets: [0, 3] });
    expect(header.a).toEqual({ dtype: 'F32', shape: [], data_offsets: [3, 7] });
    expect(bytes.subarray(8 + length)).toEqual(Buffer.concat(infos.map(filled)));
  }
});

it.each<[string, Parameters<typeof writeSafetensorsFile>[2], RegExp]>([
  ['provides too little', () => new Uint8Array(15), /"a" needs 16 bytes but its source provided 15/],
  ['provides too much', async () => new Uint8Array(17), /"a" needs 16 bytes but its source provided more/],
  [
    'never ends',
    async function* () {
      for (;;) yield new Uint8Array(8);
    },
    /"a" needs 16 bytes but its source provided more/,
  ],
])('an existing file is kept if a source %s', async (_what, source, message) => {
  await writeFile(path(), 'before');
  expect(await refusal(writeSafetensorsFile(path(), [vector], source))).toMatch(message);
  expect(namesIn(folder())).toEqual(['model.safetensors']);
  expect(await readFile(path(), 'utf8')).toBe('before');
});

it('nothing is left behind if a source fails, and its error is passed on', async () => {
  const failing = async function* () {
    yield new Uint8Array(8);
    throw new TypeError('no more');
  };
  await expect(writeSafetensorsFile(path(), [vector], failing)).rejects.toThrow(new TypeError('no more'));
  expect(namesIn(folder())).toEqual([]);
});

it('tensors that could not be read back are refused', async () => {
  const write = (infos: TensorInfo[]) => refusal(writeSafetensorsFile(path(), infos, filled));
  expect(await write([vector, vector])).toMatch(/unique/);
  expect(await write([{ ...vector, name: '__metadata__' }])).toMatch(/__metadata__/);
  expect(await write([{ ...vector, shape: [2, -1] }])).toMatch(/"a" has no valid shape: 2 x -1/);
  expect(await refusal(writeSafetensorsFile(join(folder(), 'absent', 'x'), [vector], filled))).toMatch(
    /absent\/x does not exist/,
  );
  expect(namesIn(folder())).toEqual([]);
});

it('two simultaneous writers leave one complete file', async () => {
  const slowly = (value: number) =>
    async function* () {
      for (let i = 0; i < 16; i++) {
        await new Promise(setImmediate);
        yield Uint8Array.of(value);
      }
    };
  await Promise.all([1, 2].map((value) => writeSafetensorsFile(path(), [vector], slowly(value))));
  const reader = await openSafetensorsFile(path());
  const values = new Set(await reader.read('a'));
  await reader.close();
  expect(values.size).toBe(1);
  expect(namesIn(folder())).toEqual(['model.safetensors']);
});

it('a file without __metadata__ is read by the npm package safetensors 0.0.1', async () => {
  const { SafeTensor } = createRequire(import.meta.url)('safetensors') as {
    SafeTensor: new (bytes: Uint8Array) => { getTensor(name: string): Uint8Array };
  };
  const infos: TensorInfo[] = [
    { name: 'weight', dtype: 'F32', shape: [2, 3] },
    { name: 'bias', dtype: 'F32', shape: [3] },
  ];
  await writeSafetensorsFile(path(), infos, filled, { metadata: null });
  // The package reads its buffer from the beginning, so it needs a separate one.
  const whole = new SafeTensor(Uint8Array.from(await readFile(path())));
  for (const info of infos) expect(new Uint8Array(whole.getTensor(info.name))).toEqual(filled(info));
});
