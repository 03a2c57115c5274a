/** @module The socket: taken before the model is opened, so that a port in use is told at once, and given back after the last answer. */
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
  /** A name or an address. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Milliseconds that an answer may take. */
  readonly requestMs: number;
}

export type Fetch = Parameters<typeof createAdaptorServer>[0]['fetch'];

export interface Listener {
  readonly url: string;
  /** Answers by this from now on; until then, that the model is not open yet. */
  serve(fetch: Fetch): void;
  /** Takes no more connections, and ends those that are open when answers had a moment to arrive. */
  close(): Promise<void>;
}

/** A client that takes longer to send its request is not in earnest. */
const HEADERS_MS = 10_000;
const BODY_MS = 30_000;
const CHECK_MS = 2_000;
/** What is still on its way when all is written. */
const LAST_ANSWERS_MS = 1_000;
const MAXIMUM_CONNECTIONS = 1024;

/** The address that a host stands for. @throws UsageError where it stands for none */
export async function addressOf(host: string): Promise<{ address: string; loopback: boolean }> {
  // Of an empty name the system says nothing, which would be all addresses.
  const found = host === '' ? null : await lookup(host).catch(() => null);
  if (found !== null) return { address: found.address, loopback: isLoopback(found.address) };
  throw new UsageError(`The host "${host}" is not known.`, {
    hint: 'Give an address of this machine: 127.0.0.1 for itself alone, 0.0.0.0 for all that reach it.',
  });
}

function whyNot(error: NodeJS.ErrnoException, { host, port }: ListenerOptions): Error {
  const reasons: Readonly<Record<string, [string, string]>> = {
    EADDRINUSE: [
      `Port ${port} of ${host} is in use.`,
      'Give another with --port, or --port 0 for one that is free; perhaps byteify serves there already.',
    ],
    EACCES: [`This account may not listen on port ${port}.`, 'Give one above 1023 with --port.'],
    EADDRNOTAVAIL: [`${host} is no address of this machine.`, 'Give one that it has, or 127.0.0.1.'],
  };
  const [message, hint] = reasons[error.code ?? ''] ?? [`${host} cannot be listened on: ${error.message}.`, ''];
  return new UsageError(message, { ...(hint !== '' && { hint }), cause: error });
}

/** @throws UsageError when the port cannot be had. */
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
  // Whatever a client does, its connection ends when nothing went over it for this long.
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
