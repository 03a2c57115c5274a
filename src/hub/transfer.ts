/** @module Brings one file's bytes: resumed by range, also by a later process, and verified before it gets its name. */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ByteifyError, messageOf } from '../errors.js';
import { sleepMs } from './retry.js';

export interface Transfer {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Where the verified file goes; its part lies beside it with `.incomplete`. */
  readonly blob: string;
  readonly sizeBytes: number;
  /** sha256 of the content, or git's sha1 of it as a blob. */
  readonly digest: { readonly kind: 'sha256' | 'git-sha1'; readonly hex: string };
  readonly fetch: typeof fetch;
  readonly sleep?: (ms: number) => Promise<void>;
  readonly onBytes?: (doneBytes: number) => void;
  readonly signal?: AbortSignal;
  /** Turns a refusal into an error. */
  readonly refuse: (response: Response) => Error;
}

/** How often a connection may break without a single new byte before it is given up. */
const IDLE_ATTEMPTS = 5;

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    (found) => found.size,
    () => 0,
  );
}

function hasherOf({ digest, sizeBytes }: Transfer): Hash {
  return digest.kind === 'sha256' ? createHash('sha256') : createHash('sha1').update(`blob ${sizeBytes}\0`);
}

/** Appends to the part what it lacks. */
async function continuePart(transfer: Transfer, part: string): Promise<void> {
  const have = await sizeOf(part);
  const { url, headers, sizeBytes, signal } = transfer;
  if (have >= sizeBytes) return;
  const response = await transfer.fetch(url, {
    headers: { ...headers, ...(have > 0 && { range: `bytes=${have}-` }) },
    ...(signal && { signal }),
  });
  if (!response.ok || response.body === null) throw transfer.refuse(response);
  const resumed = response.status === 206;
  const file = await open(part, resumed ? 'a' : 'w');
  let done = resumed ? have : 0;
  try {
    for await (const chunk of response.body) {
      await file.appendFile(chunk);
      done += chunk.length;
      transfer.onBytes?.(done);
      if (done > sizeBytes) break; // the digest will tell
    }
  } finally {
    await file.close();
  }
}

async function isWhole(transfer: Transfer, part: string): Promise<boolean> {
  if ((await sizeOf(part)) !== transfer.sizeBytes) return false;
  const hash = hasherOf(transfer);
  await pipeline(createReadStream(part, { highWaterMark: 2 ** 20 }), hash);
  return hash.digest('hex') === transfer.digest.hex;
}

/**
 * @throws ByteifyError when the bytes that come are not those of the digest, twice; the transport's error when it stays broken; the
 * refusal's error when the server refuses.
 */
export async function transferFile(transfer: Transfer): Promise<void> {
  const { blob, sizeBytes, sleep = sleepMs, signal } = transfer;
  if (existsSync(blob)) return;
  await mkdir(dirname(blob), { recursive: true });
  const part = `${blob}.incomplete`;
  let [idle, wrong] = [0, 0];
  for (;;) {
    const before = await sizeOf(part);
    try {
      if (before > sizeBytes) await rm(part);
      if (sizeBytes === 0) await (await open(part, 'w')).close();
      await continuePart(transfer, part);
    } catch (error) {
      if (error instanceof ByteifyError || signal?.aborted) throw error;
      idle = (await sizeOf(part)) > before ? 0 : idle + 1;
      if (idle === IDLE_ATTEMPTS) {
        throw new ByteifyError(`A download broke off again and again: ${messageOf(error)}.`, {
          hint: 'Run the same command again: it goes on where it stopped.',
          cause: error,
        });
      }
      await sleep(500 * 2 ** idle);
      continue;
    }
    if (await isWhole(transfer, part)) break;
    if ((await sizeOf(part)) < sizeBytes) continue; // cut without an error: go on
    await rm(part, { force: true });
    if (++wrong === 2) {
      throw new ByteifyError('A file came with other bytes than the hub says it has, twice; it was removed.', {
        hint: 'A proxy or mirror may alter downloads; try another network or HF_ENDPOINT.',
      });
    }
  }
  await rename(part, blob);
}
