/** @module The listening socket: bound before the model is opened, so that a port in use is reported at once, and closed after the last response. */
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as after } from 'node:timers/promises';
import { createAdaptorServer } from '@hono/node-server';
import { UsageError } from '../errors.js';
import { isLoopback } from './access.js';
import { ApiError, errorBody, errorHeaders } from './api-error.js';

export interface ListenerOptions {
  /** A host name or an address. */
  readonly host: string;
  /** 0 chooses a free port. */
  readonly port: number;
  /** Milliseconds that a response may take. */
  readonly requestMs: number;
}

export type Fetch = Parameters<typeof createAdaptorServer>[0]['fetch'];

export interface Listener {
  readonly url: string;
  /** Handles requests with `fetch` from now on; until then they get status 503. */
  serve(fetch: Fetch): void;
  /** Refuses new connections, and closes the open ones after a moment for the last responses to arrive. */
  close(): Promise<void>;
}

/** Time limits for a client to send its headers and body, which guard against slow-request attacks. */
const HEADERS_MS = 10_000;
const BODY_MS = 30_000;
const CHECK_MS = 2_000;
/** Time for the last responses to arrive. */
const LAST_ANSWERS_MS = 1_000;
const MAXIMUM_CONNECTIONS = 1024;

/** Resolves a host to an address. @throws UsageError when it has none */
export async function addressOf(host: string): Promise<{ address: string; loopback: boolean }> {
  // The system resolves an empty name to nothing, which would mean all addresses.
  const found = host === '' ? null : await lookup(host).catch(() => null);
  if (found !== null) return { address: found.address, loopback: isLoopback(found.address) };
  throw new UsageError(`The host "${host}" is unknown.`, {
    hint: 'Give an address of this machine: 127.0.0.1 for this machine only, 0.0.0.0 for all interfaces.',
  });
}

function whyNot(error: NodeJS.ErrnoException, { host, port }: ListenerOptions): Error {
  const reasons: Readonly<Record<string, [string, string]>> = {
    EADDRINUSE: [
      `Port ${port} of ${host} is in use.`,
      'Choose another with --port, or a free one with --port 0. Another byteify may be running there.',
    ],
    EACCES: [`This account may not listen on port ${port}.`, 'Give one above 1023 with --port.'],
    EADDRNOTAVAIL: [`${host} is not an address of this machine.`, 'Give one of its addresses, or 127.0.0.1.'],
  };
  const [message, hint] = reasons[error.code ?? ''] ?? [`The server cannot listen on ${host}: ${error.message}.`, ''];
  return new UsageError(message, { ...(hint !== '' && { hint }), cause: error });
}

/** Binds the socket. @throws UsageError when the host is unknown or the port is not available. */
export async function openListener(options: ListenerOptions): Promise<Listener> {
  const { address } = await addressOf(options.host);
  const opening = new ApiError(503, 'The model is being opened.', { code: 'opening', retryAfterSeconds: 5 });
  let fetch: Fetch = () =>
    new Response(JSON.stringify(errorBody(opening)), {
      status: opening.status,
      headers: { 'Content-Type': 'application/json', ...errorHeaders(opening) },
    });
  const server = createAdaptorServer({
    fetch: (request, env) => fetch(request, env),
    serverOptions: {
      headersTimeout: HEADERS_MS,
      requestTimeout: BODY_MS,
      connectionsCheckingInterval: CHECK_MS,
    },
  }) as Server;
  server.maxConnections = MAXIMUM_CONNECTIONS;
  // A connection closes after this long without traffic, whatever the client does.
  server.timeout = options.requestMs + BODY_MS;
  server.listen(options.port, address);
  await once(server, 'listening').catch((error: NodeJS.ErrnoException) => {
    throw whyNot(error, options);
  });
  const { address: bound, family, port } = server.address() as AddressInfo;
  return {
    url: `http://${family === 'IPv6' ? `[${bound}]` : bound}:${port}`,
    serve(answer) {
      fetch = answer;
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      await Promise.race([closed, after(LAST_ANSWERS_MS, undefined, { ref: false })]);
      server.closeAllConnections();
      await closed;
    },
  };
}
