/** @module A fetch function that streams large request bodies. Node's own keeps a copy of everything it sent until the response arrives. */
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream as NodeStream } from 'node:stream/web';

/** Statuses that allow no body, not even an empty one. */
const BODILESS = [204, 205, 304];

async function responseOf(incoming: IncomingMessage): Promise<Response> {
  const { statusCode: status = 0, statusMessage: statusText = '', headers } = incoming;
  const body = await buffer(incoming);
  const named = Object.entries(headers).map(([name, value]) => [name, [value].flat().join(', ')] as [string, string]);
  return new Response(BODILESS.includes(status) ? null : new Uint8Array(body), { status, statusText, headers: named });
}

/** Sends a Blob. Redirects are not followed, since uploads are sent to their final URL. An early response ends the upload. */
function sendBlob(url: URL, blob: Blob, { method = 'PUT', headers, signal }: RequestInit): Promise<Response> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) => reject(signal?.aborted ? signal.reason : error);
    const request = url.protocol === 'https:' ? requestHttps : requestHttp;
    const outgoing = request(url, {
      method,
      headers: { ...Object.fromEntries(new Headers(headers)), 'content-length': blob.size },
      ...(signal && { signal }),
    });
    // Also covers a missing response after everything was sent, which the pipeline does not notice.
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

/** Returns a fetch function that streams Blob bodies. @param once sends all other requests. */
export function streamingFetch(once: typeof fetch): typeof fetch {
  return async (input, init) => {
    if (!(init?.body instanceof Blob)) return once(input, init);
    init.signal?.throwIfAborted();
    return sendBlob(new URL(input instanceof Request ? input.url : input), init.body, init);
  };
}
