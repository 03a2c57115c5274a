/**
 * @module Downloads one file: resumed by range requests, even by a later process, and verified before it gets its final name.
 * The digest is known beforehand, so resuming needs no If-Range: ETags differ between the mirrors of one file, and would discard its bytes.
 */
import { ByteifyError, messageOf } from '../errors.js';
import { backoffMs, type Sleep, sleepMs } from './backoff.js';
import { openPart, type Part, type PartTarget } from './part.js';

/** What to download. No other process may write to the target or to its partial file. */
export interface Transfer extends PartTarget {
  /** The file's name in messages. */
  readonly name: string;
  readonly url: string;
  /** Sends one request; it may retry by itself. */
  readonly fetch: typeof fetch;
  readonly sleep?: Sleep;
  readonly onBytes?: (doneBytes: number) => void;
  readonly signal?: AbortSignal;
  /** A connection that delivers almost nothing for this many milliseconds counts as broken (default 60,000). */
  readonly stallMs?: number;
  /** How many times in a row a connection may break without a new byte before the download fails (default 5). */
  readonly idleAttempts?: number;
  /** Turns an error response into an error. */
  readonly refuse: (response: Response) => Error;
  /** The error for bytes that twice did not have the digest. */
  readonly mismatch: () => Error;
}

const IDLE_ATTEMPTS = 5;
const STALL_MS = 60_000;
/** The bytes that must arrive in that time. A new connection may be faster, and resumes at the same byte. */
const STALL_BYTES = 16 * 1024;

/** Whether a partial response begins at the end of the part, and belongs to a file of the expected size. */
function continues(response: Response, part: Part, sizeBytes: number): boolean {
  const [, start, total] = /^bytes (\d+)-\d*\/(\d+|\*)/.exec(response.headers.get('content-range') ?? '') ?? [];
  return Number(start) === part.doneBytes() && (total === '*' || Number(total) === sizeBytes);
}

/** Checks a response against its request. After a redirect an error is retried, since links to a storage expire; the server's own are final. */
async function accept(transfer: Transfer, part: Part, response: Response): Promise<void> {
  const { status } = response;
  if (status === 416 || (status === 206 && !continues(response, part, transfer.sizeBytes))) {
    await part.restart();
    throw new Error('the server did not resume at the requested byte');
  }
  if (!response.ok) {
    const elsewhere = response.redirected && new URL(response.url).host !== new URL(transfer.url).host;
    throw elsewhere ? new Error(`${new URL(response.url).host} answered ${status}`) : transfer.refuse(response);
  }
  if (status !== 206) await part.restart();
}

/** Sends one request and appends the body to the partial file. Returns normally if the server closes the connection. */
async function receive(transfer: Transfer, part: Part): Promise<void> {
  const { url, sizeBytes, signal, stallMs = STALL_MS } = transfer;
  const stalled = new AbortController();
  const doneBytes = part.doneBytes();
  const response = await transfer.fetch(url, {
    // A compressed response would differ from the file in length.
    headers: { 'accept-encoding': 'identity', ...(doneBytes > 0 && { range: `bytes=${doneBytes}-` }) },
    signal: signal ? AbortSignal.any([signal, stalled.signal]) : stalled.signal,
  });
  const timer = setTimeout(() => stalled.abort(new Error(`too little data arrived in ${stallMs / 1000} s`)), stallMs);
  let sinceTimer = 0;
  try {
    await accept(transfer, part, response);
    for await (const chunk of response.body ?? []) {
      sinceTimer += chunk.length;
      if (sinceTimer >= STALL_BYTES) {
        timer.refresh();
        sinceTimer = 0;
      }
      await part.append(chunk);
      if (part.doneBytes() > sizeBytes) return; // the digest check fails
      transfer.onBytes?.(part.doneBytes());
    }
  } catch (error) {
    await response.body?.cancel().catch(() => undefined);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** Sends requests until the partial file has the full length. */
async function fill(transfer: Transfer, part: Part): Promise<void> {
  const { name, sizeBytes, sleep = sleepMs, signal, idleAttempts = IDLE_ATTEMPTS } = transfer;
  for (let idle = 0; part.doneBytes() < sizeBytes; ) {
    const before = part.doneBytes();
    let cause: unknown = new Error('the server closed the connection');
    try {
      await receive(transfer, part);
    } catch (error) {
      if (error instanceof ByteifyError || signal?.aborted) throw error;
      cause = (error as Error).cause ?? error;
    }
    if (part.doneBytes() > before) {
      idle = 0;
      continue;
    }
    if (++idle === idleAttempts) {
      throw new ByteifyError(`The download of ${name} was interrupted repeatedly: ${messageOf(cause)}.`, {
        hint: 'Run the same command again to resume it.',
        cause,
      });
    }
    await sleep(backoffMs(idle), signal);
  }
}

/**
 * Downloads one file and verifies it.
 * @throws ByteifyError if the connection keeps breaking or the disk is full; the error of `refuse` if the server refuses, and of `mismatch`
 * if the digest is wrong twice; the signal's reason. The partial file is kept for resuming, unless its digest is wrong.
 */
export async function transferFile(transfer: Transfer): Promise<void> {
  const part = await openPart(transfer);
  try {
    for (let wrong = 0; ; ) {
      await fill(transfer, part);
      if (part.isCorrect()) break;
      await part.restart();
      if (++wrong === 2) {
        await part.remove();
        throw transfer.mismatch();
      }
    }
    await part.finish();
  } finally {
    await part.close();
  }
}
