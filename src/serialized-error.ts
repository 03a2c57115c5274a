/** @module Sends errors between threads and processes. Structured cloning would lose their class and the properties added to them. */
import { ByteifyError, messageOf } from './errors.js';

/** An error as plain values. */
export interface SerializedError {
  readonly isOurs: boolean;
  readonly message: string;
  readonly stack: string | undefined;
  /** Properties added to the error: hint and exit code, or a system error's code and path. */
  readonly added: Readonly<Record<string, string | number | undefined>>;
  readonly cause: SerializedError | null;
}

const isPlain = ([, value]: [string, unknown]) => ['string', 'number'].includes(typeof value);

export function serializeError(thrown: unknown): SerializedError {
  const error = thrown instanceof Error ? thrown : new Error(messageOf(thrown));
  return {
    isOurs: error instanceof ByteifyError,
    message: error.message,
    stack: error.stack,
    added: Object.fromEntries(Object.entries(error).filter(isPlain)),
    cause: error.cause === undefined ? null : serializeError(error.cause),
  };
}

/** Restores the error; a ByteifyError becomes a ByteifyError again. */
export function deserializeError({ isOurs, message, stack, added, cause }: SerializedError): Error {
  const options = cause === null ? {} : { cause: deserializeError(cause) };
  const error = isOurs ? new ByteifyError(message, options) : new Error(message, options);
  return Object.assign(error, added, stack === undefined ? {} : { stack });
}
