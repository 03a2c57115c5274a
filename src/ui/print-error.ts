/** @module Prints an error to stderr: one sentence, a hint, and the stack only with --verbose. */

import { styleText } from 'node:util';
import { describeError } from './describe-error.js';
import { type Environment, type OutputStream, usesColour } from './terminal.js';

/** Prints an error and returns its exit code. */
export function printError(
  error: unknown,
  { stream, env, verbose }: { stream: OutputStream; env: Environment; verbose: boolean },
): 1 | 2 {
  const { message, hint, exitCode } = describeError(error);
  // usesColour decides for this stream; styleText's own check (Node 22) would test stdout.
  const paint = (style: 'red' | 'dim', text: string) =>
    usesColour(stream, env) ? styleText(style, text, { validateStream: false }) : text;
  stream.write(`${paint('red', 'error:')} ${message}\n`);
  if (hint !== null) stream.write(`${paint('dim', 'hint:')} ${hint}\n`);
  if (verbose) stream.write(`${stackOf(error)}\n`);
  return exitCode;
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.stack ?? error.message;
  return error.cause === undefined ? own : `${own}\ncaused by ${stackOf(error.cause)}`;
}
