/** How the loopback hub sends a body: by range, and with the faults that affect a body. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import type { Strike } from './hub-faults.js';
import type { HubFile } from './hub-repository.js';

export interface SentBody {
  readonly url: string;
  readonly range: string | null;
  status: number;
  sentBytes: number;
}

/** Writes at the pace of the reader; false if it has disconnected. */
async function write(response: ServerResponse, piece: Uint8Array): Promise<boolean> {
  if (response.write(piece) || response.destroyed) return !response.destroyed;
  await new Promise<void>((resolve) => {
    const go = () => {
      response.off('drain', go).off('close', go);
      resolve();
    };
    response.once('drain', go).once('close', go);
  });
  return !response.destroyed;
}

function* slices(chunk: Buffer, bytes: number): Generator<Buffer> {
  for (let at = 0; at < chunk.length; at += bytes) yield chunk.subarray(at, at + bytes);
}

/** Half a body: what was written is sent, then the connection ends. */
function cutOff(response: ServerResponse): void {
  response.socket?.destroySoon();
}

/** Responds with a file or the requested range, and records in `log` what was sent. */
export async function sendFile(
  file: HubFile,
  params: { request: IncomingMessage; response: ServerResponse; log: SentBody; strike: Strike },
  headers: Record<string, string>,
): Promise<void> {
  const { request, response, log, strike } = params;
  const path = new URL(log.url, 'http://hub').pathname;
  const range = /^bytes=(\d+)-(\d*)$/.exec(log.range ?? '');
  const honoured = range !== null && strike('ignore-range', path) === null;
  const from = honoured ? Number(range[1]) : 0;
  const start = from > 0 && strike('wrong-range', path) !== null ? 0 : from;
  const asked = honoured && range[2] ? Math.min(file.size, Number(range[2]) + 1) : file.size;
  if (honoured && start >= file.size) {
    log.status = 416;
    response.writeHead(416, { 'content-range': `bytes */${file.size}` }).end();
    return;
  }
  const sends = request.method !== 'HEAD';
  const short = sends ? strike('short', path, ({ bytes }) => bytes < asked - start) : null;
  const end = short === null ? asked : Math.min(asked, start + short.bytes);
  log.status = honoured ? 206 : 200;
  response.writeHead(log.status, {
    ...headers,
    'content-length': end - start,
    'accept-ranges': 'bytes',
    ...(honoured && { 'content-range': `bytes ${start}-${end - 1}/${file.size}` }),
  });
  if (!sends) {
    response.end();
    return;
  }
  const flip = strike('flip', path, ({ atByte }) => atByte >= start && atByte < end);
  const within = ({ afterBytes }: { afterBytes: number }) => afterBytes < end - start;
  const stop = strike('cut', path, within) ?? strike('stall', path, within);
  const drip = strike('drip', path, ({ bytes }) => bytes < end - start);
  const last = stop === null ? end : Math.min(end, start + stop.afterBytes);
  let at = start;
  for await (const piece of file.read(start, last)) {
    let chunk = piece as Buffer;
    if (flip !== null && flip.atByte >= at && flip.atByte < at + chunk.length) {
      chunk = Buffer.from(chunk);
      chunk.writeUInt8(chunk.readUInt8(flip.atByte - at) ^ 1, flip.atByte - at);
    }
    at += chunk.length;
    for (const slice of drip === null ? [chunk] : slices(chunk, drip.bytes)) {
      log.sentBytes += slice.length;
      if (!(await write(response, slice))) return;
      if (drip !== null) await wait(drip.everyMs);
    }
  }
  if (stop === null) response.end();
  // A stalled one stays open.
  else if (stop.kind === 'cut') cutOff(response);
}

/** Responds with JSON; `cut` affects it too. */
export function sendJson(
  response: ServerResponse,
  params: { path: string; head: boolean; strike: Strike },
  { status, body, headers }: { status: number; body: object; headers: Record<string, string> },
): void {
  const text = Buffer.from(params.head ? '' : JSON.stringify(body));
  const cut = params.head ? null : strike200(params, status);
  response.writeHead(status, {
    'content-type': 'application/json',
    ...(!params.head && { 'content-length': text.length }),
    ...headers,
  });
  if (cut === null) {
    response.end(text);
    return;
  }
  response.write(text.subarray(0, cut.afterBytes));
  cutOff(response);
}

const strike200 = ({ path, strike }: { path: string; strike: Strike }, status: number) =>
  status === 200 ? strike('cut', path) : null;
