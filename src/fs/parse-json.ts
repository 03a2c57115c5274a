/** @module JSON of a file that somebody else wrote: what is wrong with it in a sentence that names the file. */
import { ByteifyError } from '../errors.js';

const LFS_POINTER = /^version https:\/\/git-lfs\.github\.com\/spec\//;

/** What Python's json module writes for numbers that JSON does not have, and what its repr writes for the three constants. */
const PYTHON_WORDS = /"(?:[^"\\]|\\.)*(?:"|$)|(?<![\w.])(-?(?:NaN|Infinity)|None|True|False)(?![\w.])/g;

function pythonWord(text: string): { word: string; line: number } | null {
  if (!/^\s*[[{]/.test(text)) return null;
  for (const { 1: word, index } of text.matchAll(PYTHON_WORDS))
    if (word !== undefined) return { word, line: text.slice(0, index).split('\n').length };
  return null;
}

/**
 * @param path as the user would look for it. @param hint what to do about a damaged file.
 * @throws ByteifyError when the text is not JSON: a git-lfs pointer, Python's spelling, or damaged.
 */
export function parseJson(text: string, path: string, hint: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    if (LFS_POINTER.test(text))
      throw new ByteifyError(`${path} is a git-lfs pointer: the file that it stands for was not downloaded.`, {
        hint: 'Run "git lfs pull" in its folder, or download the model again.',
        cause,
      });
    if (text.trim() === '') throw new ByteifyError(`${path} is empty.`, { hint, cause });
    const found = pythonWord(text);
    if (found !== null)
      throw new ByteifyError(
        `${path} is not JSON: line ${found.line} has ${found.word}, which Python writes and JSON does not have.`,
        { hint: 'Replace it in a copy of the file by the number that is meant, or by null, true or false.', cause },
      );
    throw new ByteifyError(`${path} is not JSON.`, { hint, cause });
  }
}
