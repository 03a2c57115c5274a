/** @module Brings one file's bytes: resumed by range, also by a later process, and verified before it gets its name. */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ByteifyError, messageOf } from '../errors.js';
import { backoffMs, type Sleep, sleepMs } from './retry.js';

export interface Transfer {
  readonly url: string;
  /** Where the verified file goes; its part lies beside it with `.incomplete`. Nobody else may work on either. */
  readonly blob: string;
  readonly sizeBytes: number;
  /** sha256 of the content, or git's sha1 of it as a blob. */
  readonly digest: { readonly kind: 'sha256' | 'git-sha1'; readonly hex: string };
  readonly fetch: typeof fetch;
  readonly sleep?: Sleep;
  readonly onBytes?: (doneBytes: number) => void;
  readonly signal?: AbortSignal;
  /** A connection on which nothing comes for so long counts as broken. */
  readonly stallMs?: number;
  /** Turns a refusal into an error. */
  readonly refuse: (response: Response) => Error;
}

/** How often a connection may break without a single new byte before it is given up. */
const IDLE_ATTEMPTS = 5;
const STALL_MS = 60_000;

/** What has come so far, and its digest. */
interface Part {
  readonly file: FileHandle;
  hash: Hash;
  doneBytes: number;
}

function newHash({ digest, sizeBytes }: Transfer): Hash {
  return digest.kind === 'sha256' ? createHash('sha256') : createHash('sha1').update(`blob ${sizeBytes}\0`);
}

async function restart(transfer: Transfer, part: Part): Promise<void> {
  await part.file.truncate(0);
  part.hash = newHash(transfer);
  part.doneBytes = 0;
}

/** Opens what an earlier process left and hashes it, or begins anew. */
async function openPart(transfer: Transfer, path: string): Promise<Part> {
  const part: Part = { file: await open(path, 'a'), hash: newHash(transfer), doneBytes: 0 };
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 })) {
    part.hash.update(chunk as Buffer);
    part.doneBytes += (chunk as Buffer).length;
  }
  if (part.doneBytes > transfer.sizeBytes) await restart(transfer, part);
  return part;
}

/** The first byte that a partial answer holds. */
function rangeStart(response: Response): number | null {
  const start = /^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '')?.[1];
  return start === undefined ? null : Number(start);
}

/** Checks the answer against what was asked for. Links of the storage behind the hub expire: that is no refusal by the hub. */
async function accept(transfer: Transfer, part: Part, response: Response): Promise<void> {
  const { status } = response;
  if (status === 416 || (status === 206 && rangeStart(response) !== part.doneBytes)) {
    await restart(transfer, part);
    throw new Error('the server does not continue where the file ends');
  }
  if (!response.ok) {
    const elsewhere = response.redirected && new URL(response.url).host !== new URL(transfer.url).host;
    throw elsewhere ? new Error(`${new URL(response.url).host} answered ${status}`) : transfer.refuse(response);
  }
  if (status !== 206) await restart(transfer, part);
}

/** One request: appends what comes to the part. Ends without an error when the server does. */
async function receive(transfer: Transfer, part: Part): Promise<void> {
  const { url, sizeBytes, signal, stallMs = STALL_MS } = transfer;
  const stalled = new AbortController();
  const response = await transfer.fetch(url, {
    // A compressed answer would have another length than the file.
    headers: { 'accept-encoding': 'identity', ...(part.doneBytes > 0 && { range: `bytes=${part.doneBytes}-` }) },
    signal: signal ? AbortSignal.any([signal, stalled.signal]) : stalled.signal,
  });
  const timer = setTimeout(() => stalled.abort(new Error(`nothing came for ${stallMs / 1000} s`)), stallMs);
  try {
    await accept(transfer, part, response);
    for await (const chunk of response.body ?? []) {
      timer.refresh();
      await part.file.appendFile(chunk);
      part.hash.update(chunk);
      part.doneBytes += chunk.length;
      if (part.doneBytes > sizeBytes) return; // the digest will tell
      transfer.onBytes?.(part.doneBytes);
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
  const { sleep = sleepMs, signal } = transfer;
  for (let idle = 0; part.doneBytes < transfer.sizeBytes; ) {
    const before = part.doneBytes;
    let cause: unknown = new Error('the server closes the connection');
    try {
      await receive(transfer, part);
    } catch (error) {
      if (error instanceof ByteifyError || signal?.aborted) throw error;
      cause = (error as Error).cause ?? error;
    }
    if (part.doneBytes > before) {
      idle = 0;
      continue;
    }
    if (++idle === IDLE_ATTEMPTS) {
      throw new ByteifyError(`The download broke off again and again: ${messageOf(cause)}.`, {
        hint: 'Run the same command again: it goes on where it stopped.',
        cause,
      });
    }
    await sleep(backoffMs(idle), signal);
  }
}

/**
 * @throws ByteifyError when the bytes that come are not those of the digest, twice, or when no more come; the refusal's error when
 * the server refuses; the signal's reason. What has come stays for the next time, unless it is wrong.
 */
export async function transferFile(transfer: Transfer): Promise<void> {
  const { blob, sizeBytes, digest } = transfer;
  await mkdir(dirname(blob), { recursive: true });
  const path = `${blob}.incomplete`;
  const part = await openPart(transfer, path);
  try {
    for (let wrong = 0; ; ) {
      await fill(transfer, part);
      if (part.doneBytes === sizeBytes && part.hash.digest('hex') === digest.hex) break;
      await restart(transfer, part);
      if (++wrong === 2) {
        await rm(path, { force: true });
        throw new ByteifyError('A file came with other bytes than the hub says it has, twice; it was removed.', {
          hint: 'A proxy or mirror may alter downloads; try another network or HF_ENDPOINT.',
        });
      }
    }
    // Without it a power cut can leave the name on a file with holes.
    await part.file.sync();
  } finally {
    await part.file.close();
  }
  await rename(path, blob);
}
