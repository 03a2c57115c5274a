/** @module Errors that a person can act on: one sentence, a hint and an exit code. Every folder may import this module. */

/** An error with one sentence about what went wrong and an optional hint about what to do. The command line prints it without a stack. */
export class ByteifyError extends Error {
  /** One sentence on what to do next; printed under the message. */
  readonly hint: string | undefined;
  /** 1: the work failed. 2: the command, recipe or input was used wrongly. */
  readonly exitCode: 1 | 2;

  constructor(message: string, options: { hint?: string; exitCode?: 1 | 2; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'ByteifyError';
    this.hint = options.hint;
    this.exitCode = options.exitCode ?? 1;
  }
}

/** A ByteifyError for wrong usage, such as an unknown flag, an invalid recipe or an unsuitable path. Exit code 2. */
export class UsageError extends ByteifyError {
  constructor(message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, { ...options, exitCode: 2 });
    this.name = 'UsageError';
  }
}

/** Whether something was thrown because the work was asked to stop. */
export const isAbort = (error: unknown): boolean => error instanceof Error && error.name === 'AbortError';

/** The message of any thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
