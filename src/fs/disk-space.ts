/** @module Free disk space: the check before a download, and the message when the disk fills up during one. */
import { stat, statfs } from 'node:fs/promises';
import { ByteifyError, messageOf } from '../errors.js';
import { systemCode, systemProblem } from '../system-errors.js';
import { humanBytes } from '../ui/format.js';

/** The environment variables that name the folders for downloads: of the hub's files, and of the engine's libraries. */
export type FolderVariable = 'HF_HOME' | 'BYTEIFY_HOME';

const adviceOn = (variable: FolderVariable) => `Free some space, or set ${variable} to a larger disk`;

/** Size in bytes; null when the path does not exist. */
export async function sizeOnDisk(path: string): Promise<number | null> {
  return stat(path).then(
    ({ size }) => size,
    () => null,
  );
}

/** @throws ByteifyError when the disk of `folder`, which `variable` moves, has less free space than `neededBytes`. */
export async function refuseFullDisk(folder: string, neededBytes: number, variable: FolderVariable): Promise<void> {
  if (neededBytes === 0) return;
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize >= neededBytes) return;
  throw new ByteifyError(
    `The download takes ${humanBytes(neededBytes)} and ${folder} has ${humanBytes(bavail * bsize)} free.`,
    { hint: `${adviceOn(variable)}.` },
  );
}

/** Explains in one sentence why a file could not be written. @param variable that moves the file to another disk. */
export function diskError(cause: unknown, path: string, variable: FolderVariable): ByteifyError {
  const problem = systemProblem(cause, path);
  if (problem === null) return new ByteifyError(`${path} cannot be written: ${messageOf(cause)}.`, { cause });
  const full = ['ENOSPC', 'EDQUOT'].includes(systemCode(cause) ?? '');
  const hint = full
    ? `${adviceOn(variable)}, and run the same command again: it resumes where it stopped.`
    : problem.hint;
  return new ByteifyError(problem.message, { hint, cause });
}
