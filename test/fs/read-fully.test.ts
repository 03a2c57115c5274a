import { type FileHandle, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readFully } from '../../src/fs/read-fully.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();

async function withFile(contents: string, use: (file: FileHandle, path: string) => Promise<void>): Promise<void> {
  const path = join(folder(), 'file');
  await writeFile(path, contents);
  const file = await open(path, 'r');
  try {
    await use(file, path);
  } finally {
    await file.close();
  }
}

it('reads a range, also from a file that returns it in pieces', async () => {
  await withFile('0123456789', async (file, path) => {
    const target = new Uint8Array(6);
    const slow = {
      read: (into: Uint8Array, offset: number, length: number, position: number) =>
        file.read(into, offset, Math.min(length, 4), position),
    } as unknown as FileHandle;
    await readFully(slow, target, 3, path);
    expect(Buffer.from(target).toString()).toBe('345678');
  });
});

it('says how much is missing, and what to do', async () => {
  await withFile('0123456789', async (file, path) => {
    await expect(readFully(file, new Uint8Array(6), 7, path)).rejects.toMatchObject({
      message: `${path} ended 3 bytes early.`,
      hint: 'The file changed while it was being read, or the disk failed.',
    });
    await expect(readFully(file, new Uint8Array(6), 7, path, 'Write it again.')).rejects.toMatchObject({
      hint: 'Write it again.',
    });
  });
});

it('names a path that cannot be read', async () => {
  const file = await open(folder(), 'r');
  await expect(readFully(file, new Uint8Array(1), 0, folder())).rejects.toThrow(`${folder()} is a folder`);
  await file.close();
});
