import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { ByteifyError } from '../../src/errors.js';
import { openGguf } from '../../src/gguf/index.js';
import { QUANTISATIONS } from '../../src/gguf/quants.js';
import { toFloat32 } from '../../src/safetensors/index.js';

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/gguf/${name}`, import.meta.url));
const readJson = <T>(name: string) => JSON.parse(readFileSync(fixture(name), 'utf8')) as T;
const folder = mkdtempSync(join(tmpdir(), 'byteify-gguf-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('dequantisation', () => {
  const quants = readJson<Record<string, { blocks: string; values: string }>>('quants.json');

  it('is tested for every type that is read', () => {
    expect(Object.keys(quants).sort()).toEqual(Object.keys(QUANTISATIONS).sort());
  });

  it.each(Object.entries(quants))('of %s equals the Python package gguf to the bit', (type, { blocks, values }) => {
    const { blockElements, blockBytes, dequantise } = QUANTISATIONS[type]!;
    const stored = new Uint8Array(Buffer.from(blocks, 'base64'));
    const found = new Float32Array((stored.length / blockBytes) * blockElements);
    const view = new DataView(stored.buffer, stored.byteOffset);
    for (let i = 0; i * blockBytes < stored.length; i++) dequantise(view, i * blockBytes, found, i * blockElements);
    expect(new Uint8Array(found.buffer)).toEqual(new Uint8Array(Buffer.from(values, 'base64')));
  });
});

describe('a GGUF file', () => {
  it('gives its key-values and tensors', async () => {
    const file = await openGguf(fixture('tiny.gguf'));
    expect(file.keyValues.get('general.architecture')).toBe('llama');
    expect(file.keyValues.get('tokenizer.ggml.tokens')).toEqual(['<end>', 'a', 'b', 'ab', 'Ġ']);
    expect(file.keyValues.get('tokenizer.ggml.add_bos_token')).toBe(false);
    expect(file.tensors.get('blk.0.ffn_down.weight')).toEqual({
      name: 'blk.0.ffn_down.weight',
      dtype: 'F32',
      shape: [32, 64],
    });
    expect(file.storedTypes.get('blk.0.ffn_down.weight')).toBe('Q8_0');
    expect(file.tensors.get('blk.0.attn_v.weight')?.dtype).toBe('F16');
    for (const [name, wanted] of Object.entries(readJson<Record<string, number>>('tiny-sums.json'))) {
      const values = toFloat32(await file.read(name), file.tensors.get(name)!.dtype);
      expect(
        values.reduce((sum, value) => sum + Math.abs(value), 0),
        name,
      ).toBeCloseTo(wanted, 4);
    }
    await file.close();
  });

  it('is read by any range of floats', async () => {
    const file = await openGguf(fixture('tiny.gguf'));
    const whole = await file.read('blk.0.attn_q.weight');
    const floats = whole.length / 4;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: floats }), fc.integer({ min: 0, max: floats }), async (a, b) => {
        const [from, to] = [Math.min(a, b) * 4, Math.max(a, b) * 4];
        expect(await file.read('blk.0.attn_q.weight', { offset: from, length: to - from })).toEqual(
          whole.slice(from, to),
        );
      }),
    );
    await expect(file.read('blk.0.attn_q.weight', { offset: 0, length: whole.length + 4 })).rejects.toThrow(
      ByteifyError,
    );
    await file.close();
  });

  const bytes = readFileSync(fixture('tiny.gguf'));
  const changed = async (change: (copy: Buffer) => Buffer | undefined) => {
    const copy = Buffer.from(bytes);
    const path = join(folder, 'changed.gguf');
    await writeFile(path, change(copy) ?? copy);
    return path;
  };

  it.each<[string, (copy: Buffer) => Buffer | undefined, RegExp]>([
    ['another magic', (copy) => void copy.write('GGML'), /does not begin with "GGUF"/],
    ['version 1', (copy) => void copy.writeUInt32LE(1, 4), /version is 1/],
    ['big-endian numbers', (copy) => void copy.writeUInt32BE(3, 4), /big-endian/],
    ['too many tensors', (copy) => void copy.writeBigUInt64LE(2n ** 40n, 8), /tensor count/],
    ['its data cut off', (copy) => copy.subarray(0, copy.length - 600), /lies outside/],
    ['its header cut off', (copy) => copy.subarray(0, 100), /ends inside its header/],
  ])('is refused with %s', async (_what, change, message) => {
    await expect(openGguf(await changed(change))).rejects.toThrow(message);
  });

  it('is refused by the name of a type that is not read', async () => {
    const name = Buffer.from('blk.0.attn_q.weight');
    const path = await changed((copy) => void copy.writeUInt32LE(16, copy.indexOf(name) + name.length + 4 + 16));
    await expect(openGguf(path)).rejects.toThrow(/blk\.0\.attn_q\.weight is stored as IQ2_XXS/);
  });

  it('that is damaged is refused or opened, never crashes otherwise', async () => {
    const damage = fc.oneof(
      fc.record({ cut: fc.integer({ min: 0, max: bytes.length - 1 }) }),
      fc.record({ at: fc.integer({ min: 0, max: 2500 }), value: fc.integer({ min: 0, max: 255 }) }),
    );
    await fc.assert(
      fc.asyncProperty(damage, async (change) => {
        const path = await changed((copy) =>
          'cut' in change ? copy.subarray(0, change.cut) : copy.fill(change.value, change.at, change.at + 1),
        );
        const file = await openGguf(path).catch((thrown: unknown) => {
          expect(thrown).toBeInstanceOf(ByteifyError);
          return null;
        });
        await file?.close();
      }),
      { numRuns: 400 },
    );
  });
});
