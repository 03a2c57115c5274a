/** @module git-lfs pointers: the few lines of text that replace a large file when git-lfs did not download it. */
import { ByteifyError } from '../errors.js';

/** The first line of a pointer (git-lfs/git-lfs/docs/spec.md); the second address predates git-lfs's first release. */
const FIRST_LINE = /^version https?:\/\/(git-lfs\.github\.com|hawser\.github\.com)\/spec\/v\d/;
const SIZE_LINE = /^size (\d+)\s*$/m;

/** The specification's limit: a pointer is shorter than this. */
export const MAX_POINTER_BYTES = 1024;

export interface LfsPointer {
  /** Size of the file that the pointer stands for; null when the pointer does not state it. */
  readonly sizeBytes: number | null;
}

export const POINTER_HINT =
  'Run `git lfs install` and `git lfs pull` in that repository, or give its hub id instead of the folder.';

/** Continues a sentence that begins with the file's path. It includes the size, which helps a person identify the missing file. */
export function pointerWords({ sizeBytes }: LfsPointer): string {
  const ofSize = sizeBytes === null ? '' : `, of ${sizeBytes} bytes,`;
  return `is a git-lfs pointer: the file itself${ofSize} was not downloaded`;
}

/**
 * Recognises a pointer by its content.
 * @param bytes the beginning of a file; MAX_POINTER_BYTES are enough.
 * @returns null for anything that is not a pointer.
 */
export function lfsPointer(bytes: Uint8Array): LfsPointer | null {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, MAX_POINTER_BYTES)).toString(
    'latin1',
  );
  if (!FIRST_LINE.test(text)) return null;
  const size = SIZE_LINE.exec(text)?.[1];
  return { sizeBytes: size === undefined ? null : Number(size) };
}

/** @param bytes as for `lfsPointer`; @param path names the file in the error. @throws ByteifyError when the bytes are a pointer. */
export function refusePointer(bytes: Uint8Array, path: string): void {
  const pointer = lfsPointer(bytes);
  if (pointer !== null) throw new ByteifyError(`${path} ${pointerWords(pointer)}.`, { hint: POINTER_HINT });
}
