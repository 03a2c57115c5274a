/** @module A fetch whose large bodies pass through memory piece by piece. Node's own keeps a copy of all that it has sent until the answer. */
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream as NodeStream } from 'node:stream/web';

/** Statuses that have no body, not even an empty one. */
const BODILESS = [204, 205, 304];

async function responseOf(incoming: IncomingMessage): Promise<Response> {
  const { statusCode: status = 0, statusMessage: statusText = '', headers } = incoming;
  const body = await buffer(incoming);
  const named = Object.entries(headers).map(([name, value]) => [name, [value].flat().join(', ')] as [string, string]);
  return new Response(BODILESS.includes(status) ? null : new Uint8Array(body), { status, statusText, headers: named });
}

/** Redirects are not followed: what takes a body names its own address. An answer that comes early ends the sending. */
function sendBlob(url: URL, blob: Blob, { method = 'PUT', headers, signal }: RequestInit): Promise<Response> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) => reject(signal?.aborted ? signal.reason : error);
    const request = url.protocol === 'https:' ? requestHttps : requestHttp;
    const outgoing = request(url, {
      method,
      headers: { ...Object.fromEntries(new Headers(headers)), 'content-length': blob.size },
      ...(signal && { signal }),
    });
    // Also when all is sent and no answer comes, which the pipeline does not see.
    outgoing.on('error', fail);
    outgoing.once('response', (incoming) => {
      responseOf(incoming).then((response) => {
        resolve(response);
        if (!outgoing.writableFinished) outgoing.destroy();
      }, fail);
    });
    pipeline(Readable.fromWeb(blob.stream() as NodeStream), outgoing).catch(fail);
  });
}

/** @param once sends everything but Blobs. */
export function streamingFetch(once: typeof fetch): typeof fetch {
  return async (input, init) => {
    if (!(init?.body instanceof Blob)) return once(input, init);
    init.signal?.throwIfAborted();
    return sendBlob(new URL(input instanceof Request ? input.url : input), init.body, init);
  };
}
