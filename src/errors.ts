/** @module Errors a person can act on: one sentence, a hint, an exit code. Every folder may import this one. */

/** What went wrong, in one sentence, with what to do about it. The command line prints it without a stack. */
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

/** The same for wrong usage: a flag, a recipe, a path that cannot be what was asked for. Exit code 2. */
export class UsageError extends ByteifyError {
  constructor(message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, { ...options, exitCode: 2 });
    this.name = 'UsageError';
  }
}

/** The message of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
