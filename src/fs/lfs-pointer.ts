/** @module git-lfs's pointers: the few lines that stand in the place of a large file where git-lfs did not download it. */
import { ByteifyError } from '../errors.js';

/** First line of a pointer, by git-lfs's specification (docs/spec.md); the second address is from before its first release. */
const FIRST_LINE = /^version https?:\/\/(git-lfs\.github\.com|hawser\.github\.com)\/spec\/v\d/;
const SIZE_LINE = /^size (\d+)\s*$/m;

/** The specification's bound: a pointer is shorter than this. */
export const MAX_POINTER_BYTES = 1024;

export interface LfsPointer {
  /** Of the file that the pointer stands for; null where the pointer does not say. */
  readonly sizeBytes: number | null;
}

export const POINTER_HINT =
  'Run `git lfs install` and `git lfs pull` in that repository, or give its hub id instead of the folder.';

/** Goes on the sentence that the file's path begins: its size tells a person which file is missing. */
export function pointerWords({ sizeBytes }: LfsPointer): string {
  const meant = sizeBytes === null ? '' : `, of ${sizeBytes} bytes,`;
  return `is a git-lfs pointer: the file itself${meant} was not downloaded`;
}

/**
 * Recognises a pointer by its content.
 * @param bytes the beginning of a file; MAX_POINTER_BYTES of it are enough.
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

/** @param bytes as `lfsPointer` takes them; @param path names the file in the error. @throws ByteifyError when they are a pointer. */
export function refusePointer(bytes: Uint8Array, path: string): void {
  const pointer = lfsPointer(bytes);
  if (pointer !== null) throw new ByteifyError(`${path} ${pointerWords(pointer)}.`, { hint: POINTER_HINT });
}
