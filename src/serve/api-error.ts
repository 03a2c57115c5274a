/** @module The errors of the API, in the format that OpenAI's clients read. */
import { UsageError } from '../errors.js';

/** Error statuses of this server, and OpenAI's error type for each. 499 is never received, because the client has disconnected. */
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
  /** A machine-readable code. */
  readonly code?: string;
  /** The field that caused the error. */
  readonly param?: string | undefined;
  /** When the client may retry. */
  readonly retryAfterSeconds?: number;
  /** Set when the rest of the request is not read, so that the connection must be closed. */
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

/** Turns anything thrown into an API error. It describes only errors that the client can fix; any other becomes a plain status 500. */
export function apiErrorOf(thrown: unknown): ApiError {
  if (thrown instanceof ApiError) return thrown;
  if (thrown instanceof UsageError) {
    const { message, hint } = thrown;
    return new ApiError(400, hint === undefined ? message : `${message} ${hint}`);
  }
  return new ApiError(500, 'The server failed; its log has the reason.', { code: 'internal_error' });
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
