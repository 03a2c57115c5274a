/** @module Anything that was thrown, as one sentence and a hint. */

import { ByteifyError, messageOf } from '../errors.js';

export interface ErrorDescription {
  readonly message: string;
  readonly hint: string | null;
  readonly exitCode: 1 | 2;
}

/** System errors that a person meets, in words. `{}` stands for the path or address. */
const SYSTEM_ERRORS: Readonly<Record<string, readonly [sentence: string, hint: string]>> = {
  ENOENT: ['{} does not exist.', 'Check the spelling of the path.'],
  EACCES: ['{} may not be read or written by this user.', 'Check the permissions of the file and of its folder.'],
  EPERM: ['{} may not be changed by this user.', 'Check the permissions of the file and of its folder.'],
  EEXIST: ['{} exists already.', 'Choose another name, or move it away.'],
  EISDIR: ['{} is a folder where a file is needed.', 'Name a file.'],
  ENOTDIR: ['{} is a file where a folder is needed.', 'Name a folder, or a path that leads through none but folders.'],
  ENOTEMPTY: ['{} is a folder that is not empty.', 'Choose another name, or move it away.'],
  ENOSPC: ['The disk is full: {} could not be written.', '`byteify plan` shows the room each stage needs.'],
  EBUSY: ['{} is in use by the system, as a mount point is.', 'Choose a folder inside it.'],
  EROFS: ['{} lies on a read-only file system.', 'Choose another --out.'],
  EMFILE: ['This process has too many files open.', 'Raise the limit with `ulimit -n`.'],
  ENOMEM: ['The machine has no memory left.', '`byteify plan` shows the memory each stage needs.'],
  ECONNREFUSED: ['{} refuses connections.', 'Check HF_ENDPOINT and the network.'],
  ECONNRESET: ['The connection to {} was cut.', 'Run the same command again: finished work is kept.'],
  ENOTFOUND: [
    '{} cannot be found on the network.',
    'Check the network, or set HF_HUB_OFFLINE=1 to use what is cached.',
  ],
  EAI_AGAIN: [
    '{} cannot be found on the network.',
    'Check the network, or set HF_HUB_OFFLINE=1 to use what is cached.',
  ],
};

/** Enough for fetch, which nests two; a bound, since causes can form a ring. */
const MAX_CAUSES = 5;

const UNKNOWN_HINT = 'Run it again with --verbose to see where it happened.';

/**
 * One sentence for anything thrown: our own errors as they are, system errors in words, the rest by its first line.
 * Looks through `cause`, since fetch hides the reason there.
 */
export function describeError(error: unknown): ErrorDescription {
  if (error instanceof ByteifyError) {
    return { message: error.message, hint: error.hint ?? null, exitCode: error.exitCode };
  }
  const system = systemError(error);
  if (system !== null) return { ...system, exitCode: 1 };
  const message = firstLines(error);
  return {
    message: message === '' ? 'Something failed without saying why.' : message,
    hint: UNKNOWN_HINT,
    exitCode: 1,
  };
}

/** `fetch failed: bad port`: the first line of the error and of each of its causes. */
function firstLines(error: unknown): string {
  const lines: string[] = [];
  for (let at = error, depth = 0; at !== undefined && at !== null && depth < MAX_CAUSES; depth++) {
    const line = (messageOf(at).split('\n', 1)[0] ?? '').trim();
    if (line !== '' && !lines.includes(line)) lines.push(line);
    at = at instanceof Error ? at.cause : undefined;
  }
  return lines.join(': ');
}

function systemError(error: unknown): { message: string; hint: string | null } | null {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < MAX_CAUSES; at = at.cause, depth++) {
    const { code, path, address, port, hostname } = at as NodeJS.ErrnoException & Record<string, unknown>;
    const known = code === undefined ? undefined : SYSTEM_ERRORS[code];
    if (known === undefined) continue;
    const place = path ?? hostname ?? (address === undefined ? undefined : `${address}:${port}`);
    return { message: known[0].replace('{}', place === undefined ? 'Something' : String(place)), hint: known[1] };
  }
  return null;
}
