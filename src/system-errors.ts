/** @module Turns operating system errors into sentences: what failed, on which path, and what to do about it. */
import { existsSync, readlinkSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { ByteifyError } from './errors.js';

export interface SystemProblem {
  /** One sentence. */
  readonly message: string;
  readonly hint: string;
}

type Sentence = readonly [message: string, hint: string];

const PERMISSIONS = 'Check the permissions of the file and of its folder.';
const FULL_DISK =
  'Free some space and run the same command again: finished work is kept. `byteify plan` shows what each stage needs.';
const NO_NETWORK = 'Check the network, or set HF_HUB_OFFLINE=1 to use what is cached.';
const FAILING_DISK = 'Check the disk, and the mount if it is a network file system.';

/** Sentences by error code. `{}` stands for the path or the address. */
const SENTENCES: Readonly<Record<string, Sentence>> = {
  ENOENT: ['{} does not exist.', 'Check the spelling of the path.'],
  EACCES: ['{} may not be read or written by this user.', PERMISSIONS],
  EPERM: ['{} may not be changed by this user.', PERMISSIONS],
  EEXIST: ['{} already exists.', 'Choose another name, or move it away.'],
  EISDIR: ['{} is a folder where a file is needed.', 'Name a file, or move the folder away.'],
  ENOTDIR: ['{} is a file where a folder is needed.', 'Name a folder, or a path whose every parent is a folder.'],
  ENOTEMPTY: ['{} is a folder that is not empty.', 'Choose another name, or move it away.'],
  ELOOP: ['{} leads through symbolic links that form a loop.', 'Remove one of the links.'],
  ENAMETOOLONG: ['The name {} is longer than the file system allows.', 'Choose a shorter path.'],
  ENOSPC: ['The disk is full: {} could not be written.', FULL_DISK],
  EDQUOT: ['The disk quota of this user is used up: {} could not be written.', FULL_DISK],
  EFBIG: ['{} would be larger than the file system or `ulimit -f` allows.', 'Use another disk, or raise the limit.'],
  EROFS: ['{} lies on a read-only file system.', 'Choose a writable location, or remount the disk.'],
  EBUSY: ['{} is in use by the system, for example as a mount point.', 'Choose a folder inside it.'],
  EXDEV: [
    '{} cannot be moved in one step because the destination is on another file system.',
    'Choose a folder inside that file system, not the mount point itself.',
  ],
  EIO: ['The disk failed while {} was being read or written.', FAILING_DISK],
  ESTALE: ['{} no longer exists on its network file system.', FAILING_DISK],
  ENOTSUP: [
    'The file system of {} does not support this operation.',
    'Use a local disk with a file system that is native to this operating system.',
  ],
  EMFILE: ['This process has too many files open.', 'Raise the limit with `ulimit -n`.'],
  ENFILE: ['This machine has too many files open.', 'Close other programs, or raise the limit of the system.'],
  ENOMEM: ['The machine has no memory left.', '`byteify plan` shows how much memory each stage needs.'],
  ECONNREFUSED: ['{} refuses connections.', 'Check HF_ENDPOINT and the network.'],
  ECONNRESET: ['The connection to {} was reset.', 'Run the same command again: finished work is kept.'],
  ENOTFOUND: ['{} cannot be found on the network.', NO_NETWORK],
  EAI_AGAIN: ['{} cannot be found on the network.', NO_NETWORK],
};

/** Codes that mean the same as another code. */
const SAME_AS: Readonly<Record<string, string>> = { EOPNOTSUPP: 'ENOTSUP', ENOSYS: 'ENOTSUP', ENOTSOCK: 'ENOTSUP' };

/** Codes that file systems without links, such as FAT, return when asked to create one. */
const NO_LINKS: readonly string[] = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EINVAL', 'EMLINK'];

/** fetch nests two causes, so this is enough; a limit is needed because causes can form a cycle. */
const MAX_CAUSES = 5;

/** The code of a system error; null for any other error. */
export function systemCode(error: unknown): string | null {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
  return code ?? null;
}

/**
 * Finds the dangling symbolic link that makes a path unreachable. Returns null when there is none.
 * @param path may lie below the link
 */
export function danglingLink(path: string): { readonly link: string; readonly target: string } | null {
  for (let at = resolve(path); !existsSync(at); at = dirname(at)) {
    const target = linkTarget(at);
    if (target !== null) return { link: at, target };
    if (dirname(at) === at) break;
  }
  return null;
}

/** The target of a symbolic link; null when the path is not a link or cannot be read. */
function linkTarget(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}

function sentenceOf({ code = '', syscall = '', path }: NodeJS.ErrnoException): Sentence | undefined {
  if ((syscall === 'link' || syscall === 'symlink') && NO_LINKS.includes(code))
    return ['The file system of {} does not support links.', 'Choose a location on a file system that does.'];
  if ((code === 'ENOENT' || code === 'EEXIST') && path !== undefined) {
    const dangling = danglingLink(path);
    if (dangling !== null)
      return [
        `${dangling.link} is a link to ${dangling.target}, which does not exist.`,
        'Restore the target of the link, or remove the link.',
      ];
  }
  return SENTENCES[SAME_AS[code] ?? code];
}

/**
 * Describes the first system error among an error and its causes (fetch hides the reason in a cause). Returns null when there is none.
 * @param path the name by which the user knows the location; it replaces the path of the error, which may be missing or temporary
 */
export function systemProblem(error: unknown, path?: string): SystemProblem | null {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < MAX_CAUSES; at = at.cause, depth++) {
    const found = at as NodeJS.ErrnoException & Record<string, unknown>;
    const sentence = sentenceOf(found);
    if (sentence === undefined) continue;
    const { hostname, address, port } = found;
    const place = path ?? found.path ?? hostname ?? (address === undefined ? 'Something' : `${address}:${port}`);
    return { message: sentence[0].replace('{}', () => String(place)), hint: sentence[1] };
  }
  return null;
}

/** Wraps a system error in a ByteifyError that keeps it as the cause. Returns null when `cause` is not a known system error. */
export function systemFailure(cause: unknown, path: string): ByteifyError | null {
  const problem = systemProblem(cause, path);
  return problem === null ? null : new ByteifyError(problem.message, { hint: problem.hint, cause });
}

const WRITES: readonly string[] = ['write', 'fsync', 'fdatasync', 'ftruncate', 'open', 'rename', 'mkdir'];

/**
 * Makes an error name the path that the user knows. Errors on an open file name no path, and others may name a temporary one.
 * @param place.temporary the path that stands for `place.path` while it is being written
 * @returns the same error object, modified
 */
export function namingPath(error: unknown, place: { readonly path: string; readonly temporary?: string }): unknown {
  const { path, temporary } = place;
  for (let at = error, depth = 0; at instanceof Error && depth < MAX_CAUSES; at = at.cause, depth++) {
    const found = at as NodeJS.ErrnoException & { dest?: string };
    if (temporary !== undefined) {
      // The message of some errors, such as an AbortError, is read-only.
      if (found.message.includes(temporary)) found.message = found.message.replaceAll(temporary, path);
      if (found.path !== undefined) found.path = found.path.replaceAll(temporary, path);
    }
    if (found.path === undefined && found.code !== undefined && WRITES.includes(found.syscall ?? '')) found.path = path;
  }
  return error;
}
