/** @module What a request is refused with, in the shape that OpenAI's clients read. */
import { UsageError } from '../errors.js';

/** Statuses that this server refuses with, and OpenAI's types of error that go with them. Of 499 nobody hears: the client is gone. */
const TYPES = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'invalid_request_error',
  415: 'invalid_request_error',
  429: 'rate_limit_error',
  499: 'client_closed_request',
  500: 'server_error',
  503: 'server_error',
  504: 'timeout_error',
} as const;

export interface ErrorDetails {
  /** A word for programs. */
  readonly code?: string;
  /** The field that is to blame. */
  readonly param?: string | undefined;
  /** When to come again. */
  readonly retryAfterSeconds?: number;
  /** The rest of the request is not read, so that no other can follow it. */
  readonly ends?: true;
}

export class ApiError extends Error {
  constructor(
    readonly status: keyof typeof TYPES,
    message: string,
    readonly details: ErrorDetails = {},
  ) {
    super(message);
    this.name = 'ApiError';
  }
}

/** What was thrown, as an answer. Only what a client can mend is told; of the rest it learns that it happened. */
export function apiErrorOf(thrown: unknown): ApiError {
  if (thrown instanceof ApiError) return thrown;
  if (thrown instanceof UsageError) {
    const { message, hint } = thrown;
    return new ApiError(400, hint === undefined ? message : `${message} ${hint}`);
  }
  return new ApiError(500, 'The server failed; its log tells why.', { code: 'internal_error' });
}

export function errorBody({ status, message, details }: ApiError): object {
  return { error: { message, type: TYPES[status], param: details.param ?? null, code: details.code ?? null } };
}

export function errorHeaders({ status, details }: ApiError): Record<string, string> {
  return {
    ...(details.retryAfterSeconds !== undefined && { 'Retry-After': String(details.retryAfterSeconds) }),
    ...(details.ends === true && { Connection: 'close' }),
    ...(status === 401 && { 'WWW-Authenticate': 'Bearer' }),
  };
}
