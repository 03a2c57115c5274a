import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as zlib from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unzstd } from '../../src/data/unzstd.js';
import { inChunks, someLengths, zstdFile } from '../support/archives.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();

async function* each<Value>(values: readonly Value[]): AsyncGenerator<Value> {
  yield* values;
}

async function decoded(...chunks: Uint8Array[]): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of unzstd(each(chunks))) parts.push(part);
  return Buffer.concat(parts);
}

/** Text that compresses, but not to almost nothing. */
const text = (lines: number) =>
  Buffer.from(Array.from({ length: lines }, (_, i) => `Row ${i} of the table has ${(i * i * 31) % 9973}.\n`).join(''));

const has = (program: string): boolean => {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

describe('a zstd file', () => {
  it('yields the contents of all its frames, however it is split into chunks', async () => {
    await fc.assert(
      fc.asyncProperty(zstdFile, someLengths, async (parts, lengths) => {
        const stored = parts.flatMap(({ bytes }) => bytes);
        const contents = parts.map(({ content }) => content).join('');
        expect((await decoded(...inChunks(stored, lengths))).toString()).toBe(contents);
      }),
      { numRuns: 60 },
    );
  });

  it('is refused if it is truncated anywhere inside a frame', async () => {
    await fc.assert(
      fc.asyncProperty(
        zstdFile,
        fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
        async (parts, share) => {
          const stored = parts.flatMap(({ bytes }) => bytes);
          const cut = Math.floor(share * stored.length);
          const ends = parts.map(
            (
              (sum) =>
              ({ bytes }) => {
                sum += bytes.length;
                return sum;
              }
            )(0),
          );
          fc.pre(cut > 0 && !ends.includes(cut));
          await expect(decoded(Uint8Array.from(stored.slice(0, cut)))).rejects.toThrow('its zstd data is truncated');
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe.runIf(has('zstd'))('output of the zstd program', () => {
  const plain = text(60_000);

  function zstd(...args: string[]): Buffer {
    const path = join(folder(), 'plain');
    writeFileSync(path, plain);
    execFileSync('zstd', ['-q', '-f', ...args, path, '-o', `${path}.zst`]);
    return readFileSync(`${path}.zst`);
  }

  it.each([
    ['at its default level', []],
    ['without a checksum', ['--no-check']],
    ['with a large window', ['--ultra', '-20', '--long=27']],
    ['in an rsync-friendly form', ['--rsyncable']],
    ['without the contents’ size', ['--no-content-size']],
  ])('is read, %s', async (_name, args) => {
    expect((await decoded(zstd(...args))).equals(plain)).toBe(true);
  });

  it('is read if several files are concatenated', async () => {
    const stored = zstd();
    expect((await decoded(Buffer.concat([stored, stored]))).equals(Buffer.concat([plain, plain]))).toBe(true);
  });

  it.runIf(has('pzstd'))('is read as pzstd writes it, in several frames', async () => {
    const path = join(folder(), 'plain');
    writeFileSync(path, plain);
    execFileSync('pzstd', ['-q', '-f', '-p', '4', path, '-o', `${path}.zst`]);
    expect((await decoded(readFileSync(`${path}.zst`))).equals(plain)).toBe(true);
  });

  it('is refused if a byte has changed', async () => {
    const stored = zstd();
    for (const at of [20, stored.length >> 1, stored.length - 1]) {
      const damaged = Buffer.from(stored);
      damaged[at] = damaged[at]! ^ 0x55;
      await expect(decoded(damaged)).rejects.toThrow(/./);
    }
  });

  it('is refused if it needs a dictionary', async () => {
    const samples = Array.from({ length: 200 }, (_, i) => join(folder(), `sample${i}`));
    samples.forEach((path, i) => {
      writeFileSync(path, text(20 + i));
    });
    const dictionary = join(folder(), 'dictionary');
    execFileSync('zstd', ['-q', '--train', ...samples, '--dictID=4711', '--maxdict=4096', '-o', dictionary]);
    await expect(decoded(zstd('-D', dictionary))).rejects.toThrow('the zstd dictionary 4711');
    const older = join(folder(), 'older');
    writeFileSync(older, Buffer.concat([plain, Buffer.from('one more line')]));
    await expect(decoded(zstd(`--patch-from=${older}`))).rejects.toThrow(/./);
  });
});

describe('a window of 2 GiB', () => {
  // A frame of one raw block that needs this window.
  const stored = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0, 21 << 3, (5 << 3) | 1, 0, 0, ...Buffer.from('hello'));

  it.runIf('createZstdDecompress' in zlib)('is read by the zlib of a newer Node', async () => {
    expect((await decoded(stored)).toString()).toBe('hello');
  });

  it.runIf(!('createZstdDecompress' in zlib))('is refused with a remedy by an older Node', async () => {
    await expect(decoded(stored)).rejects.toThrow(/a window of 2 GiB, .*Node 22\.15 or newer.*zstd -d --long=31/);
  });
});
