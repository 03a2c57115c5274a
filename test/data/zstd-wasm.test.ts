import { describe, expect, it } from 'vitest';
import { throughZstdWasm } from '../../src/data/zstd-wasm.js';

const frame = (text: string) =>
  Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x20, text.length, (text.length << 3) | 1, 0, 0, ...Buffer.from(text)]);

async function decoded(...chunks: Uint8Array[]): Promise<string> {
  async function* frames() {
    yield* chunks;
  }
  const parts: Uint8Array[] = [];
  for await (const part of throughZstdWasm(frames())) parts.push(part);
  return Buffer.concat(parts).toString();
}

describe('the zstd decoder for older versions of Node', () => {
  it('reads consecutive frames, including empty ones', async () => {
    expect(await decoded(frame('one'), frame(''), frame(''), frame(''), frame(''), frame('two'))).toBe('onetwo');
    expect(await decoded(...[...frame('byte by byte')].map((byte) => Uint8Array.of(byte)))).toBe('byte by byte');
    expect(await decoded()).toBe('');
  });

  it('reads two files at a time', async () => {
    const texts = await Promise.all([decoded(frame('one'), frame('two')), decoded(frame('three'), frame('four'))]);
    expect(texts).toEqual(['onetwo', 'threefour']);
  });

  it('refuses damaged data, on which the library would loop forever', async () => {
    const reserved = frame('block');
    reserved[6] = reserved[6]! | 6; // a block of the reserved type
    await expect(decoded(reserved)).rejects.toThrow('its zstd data is damaged');
    const tall = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0xff, 1, 0, 0]);
    await expect(decoded(tall)).rejects.toThrow('its zstd data is damaged');
    expect(await decoded(frame('and reads on'))).toBe('and reads on');
  });
});
