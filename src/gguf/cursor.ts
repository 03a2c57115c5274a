/** @module Reads sequentially from the beginning of a file, one page at a time, and never past its end. */

import type { FileHandle } from 'node:fs/promises';
import { readFully } from '../fs/index.js';
import type { Refuse } from '../safetensors/index.js';

export interface FileBounds {
  readonly fileBytes: number;
  /** Names the file in errors. */
  readonly path: string;
  readonly refuse: Refuse;
}

export interface Cursor {
  readonly position: () => number;
  /** Returns the next bytes, valid until the next call. It returns a promise only when it must read a new page. */
  readonly take: (count: number) => Buffer | Promise<Buffer>;
}

const PAGE_BYTES = 4 * 2 ** 20;

/** A cursor at the beginning of an open file, which the caller closes. `refuse` is called for reads past the end of the file. */
export function cursorOf(file: FileHandle, { fileBytes, path, refuse }: FileBounds): Cursor {
  let position = 0;
  let page = Buffer.alloc(0);
  let pageStart = 0;
  const turnPage = async (count: number): Promise<Buffer> => {
    page = Buffer.alloc(Math.min(Math.max(PAGE_BYTES, count), fileBytes - position));
    pageStart = position;
    await readFully(file, page, pageStart, path);
    position += count;
    return page.subarray(0, count);
  };
  const take = (count: number): Buffer | Promise<Buffer> => {
    if (position + count > fileBytes) return refuse('it ends inside its header');
    const at = position - pageStart;
    if (at + count > page.length) return turnPage(count);
    position += count;
    return page.subarray(at, at + count);
  };
  return { position: () => position, take };
}
