/**
 * @module Brings one file's bytes: resumed by range, also by a later process, and verified before it gets its name.
 * A file that the hub keeps in Xet is asked for like any other: /resolve/ leads to its bytes, put together, and the sha256 of the
 * listing holds for them.
 */
import { ByteifyError, messageOf } from '../errors.js';
import { type Digest, openPart, type Part } from './part.js';
import { backoffMs, type Sleep, sleepMs } from './retry.js';

export interface Transfer {
  /** What it is called in messages. */
  readonly name: string;
  readonly url: string;
  /** Where the verified file goes. Nobody else may work on it or its part. */
  readonly blob: string;
  readonly sizeBytes: number;
  readonly digest: Digest;
  readonly fetch: typeof fetch;
  readonly sleep?: Sleep;
  readonly onBytes?: (doneBytes: number) => void;
  readonly signal?: AbortSignal;
  /** A connection on which next to nothing comes for so long counts as broken. */
  readonly stallMs?: number;
  /** Turns a refusal into an error. */
  readonly refuse: (response: Response) => Error;
}

/** How often a connection may break without a single new byte before it is given up. */
const IDLE_ATTEMPTS = 5;
const STALL_MS = 60_000;
/** What has to come in that time. The next connection may be better, and goes on where this one is left. */
const STALL_BYTES = 16 * 1024;

/** The first byte that a partial answer holds. */
function rangeStart(response: Response): number | null {
  const start = /^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '')?.[1];
  return start === undefined ? null : Number(start);
}

/** Checks the answer against what was asked for. Links of the storage behind the hub expire: that is no refusal by the hub. */
async function accept(transfer: Transfer, part: Part, response: Response): Promise<void> {
  const { status } = response;
  if (status === 416 || (status === 206 && rangeStart(response) !== part.doneBytes())) {
    await part.restart();
    throw new Error('the server does not continue where the file ends');
  }
  if (!response.ok) {
    const elsewhere = response.redirected && new URL(response.url).host !== new URL(transfer.url).host;
    throw elsewhere ? new Error(`${new URL(response.url).host} answered ${status}`) : transfer.refuse(response);
  }
  if (status !== 206) await part.restart();
}

/** One request: appends what comes to the part. Ends without an error when the server does. */
async function receive(transfer: Transfer, part: Part): Promise<void> {
  const { url, sizeBytes, signal, stallMs = STALL_MS } = transfer;
  const stalled = new AbortController();
  const doneBytes = part.doneBytes();
  const response = await transfer.fetch(url, {
    // A compressed answer would have another length than the file.
    headers: { 'accept-encoding': 'identity', ...(doneBytes > 0 && { range: `bytes=${doneBytes}-` }) },
    signal: signal ? AbortSignal.any([signal, stalled.signal]) : stalled.signal,
  });
  const timer = setTimeout(() => stalled.abort(new Error(`too little came in ${stallMs / 1000} s`)), stallMs);
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
      if (part.doneBytes() > sizeBytes) return; // the digest will tell
      transfer.onBytes?.(part.doneBytes());
    }
  } catch (error) {
    await response.body?.cancel().catch(() => undefined);
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** Requests until the part is as long as the file. */
async function fill(transfer: Transfer, part: Part): Promise<void> {
  const { name, sizeBytes, sleep = sleepMs, signal } = transfer;
  for (let idle = 0; part.doneBytes() < sizeBytes; ) {
    const before = part.doneBytes();
    let cause: unknown = new Error('the server closes the connection');
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
    if (++idle === IDLE_ATTEMPTS) {
      throw new ByteifyError(`The download of ${name} broke off again and again: ${messageOf(cause)}.`, {
        hint: 'Run the same command again: it goes on where it stopped.',
        cause,
      });
    }
    await sleep(backoffMs(idle), signal);
  }
}

/**
 * @throws ByteifyError when the bytes that come are not those of the digest, twice, when no more come, or when the disk takes no more;
 * the refusal's error when the server refuses; the signal's reason. What has come stays for the next time, unless it is wrong.
 */
export async function transferFile(transfer: Transfer): Promise<void> {
  const part = await openPart(transfer);
  try {
    for (let wrong = 0; ; ) {
      await fill(transfer, part);
      if (part.isRight()) break;
      await part.restart();
      if (++wrong === 2) {
        await part.remove();
        throw new ByteifyError(
          `${transfer.name} came with other bytes than the hub says it has, twice; it was removed.`,
          {
            hint: 'A proxy or mirror may alter downloads; try another network or HF_ENDPOINT.',
          },
        );
      }
    }
    await part.finish();
  } finally {
    await part.close();
  }
}
