/** @module Describes anything that was thrown in one sentence and a hint. */

import { ByteifyError, messageOf } from '../errors.js';
import { systemProblem } from '../system-errors.js';

export interface ErrorDescription {
  readonly message: string;
  readonly hint: string | null;
  readonly exitCode: 1 | 2;
}

/** Enough for fetch, which nests two causes. A bound is needed because causes can be circular. */
const MAX_CAUSES = 5;

const UNKNOWN_HINT = 'Run it again with --verbose to see where it happened.';

/**
 * One sentence for anything thrown: byteify's own errors unchanged, system errors in words, others by their first line.
 * Follows `cause`, where fetch puts the reason.
 */
export function describeError(error: unknown): ErrorDescription {
  if (error instanceof ByteifyError) {
    return { message: error.message, hint: error.hint ?? null, exitCode: error.exitCode };
  }
  const system = systemProblem(error);
  if (system !== null) return { ...system, exitCode: 1 };
  const message = firstLines(error);
  return {
    message: message === '' ? 'Something failed without an error message.' : message,
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
