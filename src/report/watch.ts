/** @module Serves the report of a conversion on this machine while it is made: each request reads the folder anew, and the page reloads itself. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { messageOf, UsageError } from '../errors.js';
import { reportPage } from './page.js';
import { reportInputs } from './report-inputs.js';

const HOST = '127.0.0.1';
const RELOAD_SECONDS = 10;

/** Other names may be those of a page that wants to read this one. */
const isLocal = (host: string | undefined): boolean => /^(127\.0\.0\.1|localhost)(:\d+)?$/i.test(host ?? '');

export interface Watch {
  readonly url: string;
  close(): Promise<void>;
}

async function answer(dir: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const end = (status: number, type: string, body: string) =>
    response.writeHead(status, { 'Content-Type': `${type}; charset=utf-8`, 'Cache-Control': 'no-store' }).end(body);
  if (!isLocal(request.headers.host)) return void end(403, 'text/plain', 'This page is for this machine only.\n');
  if (request.method !== 'GET' || request.url !== '/') return void end(404, 'text/plain', 'There is nothing here.\n');
  try {
    const page = await reportPage(await reportInputs(dir), null, { reloadSeconds: RELOAD_SECONDS });
    end(200, 'text/html', page);
  } catch (error) {
    // A file may be in the middle of being replaced.
    end(503, 'text/plain', `${messageOf(error)}\n`);
  }
}

/** @param port 0 takes a free one @throws UsageError when the port cannot be used */
export async function openWatch(dir: string, port: number): Promise<Watch> {
  const server = createServer((request, response) => void answer(dir, request, response));
  server.listen(port, HOST);
  await once(server, 'listening').catch((cause: unknown) => {
    throw new UsageError(`The report cannot be served on port ${port}: ${messageOf(cause)}.`, {
      cause,
      hint: 'Choose another port, or leave it out to take a free one.',
    });
  });
  // Training ends the process, whether or not a browser is still connected.
  server.unref();
  return {
    url: `http://${HOST}:${(server.address() as AddressInfo).port}/`,
    async close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
