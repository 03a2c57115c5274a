/** @module A lock file that names its owner, so that only one process works in a conversion folder. Locks of crashed processes expire. */

import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type FileHandle, open, readFile, rename, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { ByteifyError } from '../errors.js';
import { danglingLink, namingPath, systemCode, systemFailure } from '../system-errors.js';
import { temporaryName } from './atomic.js';

export const LOCK_NAME = '.byteify.lock';

/** How long a lock may be half-written before it counts as stale, left by a killed process: 20 attempts, 50 ms apart. */
const WRITING_TRIES = 20;
const WRITING_MS = 50;

const ownerSchema = z.object({
  pid: z.int().positive(),
  host: z.string(),
  /** Start time of the process in kernel ticks, which distinguishes a reused pid from the old owner. Null when it is unknown. */
  startTicks: z.string().nullable(),
  id: z.string(),
});

type Owner = Readonly<z.infer<typeof ownerSchema>>;

/**
 * Locks a folder. Call the returned function to release the lock.
 * A lock whose process no longer runs is taken over (on the same machine only).
 * @throws ByteifyError naming the process that holds the lock, or why the folder cannot be locked
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, LOCK_NAME);
  const owner: Owner = { pid: process.pid, host: hostname(), startTicks: startTicks(process.pid), id: randomUUID() };
  const text = JSON.stringify(owner);
  const release = async () => {
    if ((await readText(path)) === text) await rm(path, { force: true });
  };
  // Two attempts: the second follows the removal of a stale lock.
  for (let attempt = 0; attempt < 2; attempt++) {
    const created = await create(path, text).catch((error: unknown) => {
      throw systemFailure(error, folder) ?? error;
    });
    if (created) return release;
    const found = await readWhole(path);
    if (found === text) return release;
    if (found === null) continue;
    const holder = parseOwner(found);
    if (holder !== null && isAlive(holder)) throw heldBy(folder, path, holder);
    await moveAway(path, found);
  }
  const dangling = danglingLink(path);
  if (dangling !== null) {
    throw new ByteifyError(`${path} is a link to ${dangling.target}, which does not exist.`, {
      hint: 'Remove the link: the lock of a folder is a file.',
    });
  }
  throw new ByteifyError(`Another process has just locked ${folder}.`, {
    hint: 'Wait until it is done, or use another --out.',
  });
}

/**
 * Creates the lock and writes its owner into it. It does not use links, which some file systems lack.
 * @returns false when the lock exists, or when another process took it over before the write finished
 * @throws a system error, after removing the lock
 */
async function create(path: string, text: string): Promise<boolean> {
  let file: FileHandle;
  try {
    file = await open(path, 'wx');
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  }
  try {
    await file.writeFile(text);
  } catch (error) {
    await rm(path, { force: true }).catch(() => undefined);
    throw namingPath(error, { path });
  } finally {
    await file.close();
  }
  return (await readText(path)) === text;
}

/** The text of a lock, after waiting a limited time for its owner to finish writing it; null when there is no lock. */
async function readWhole(path: string): Promise<string | null> {
  for (let tries = 0; ; tries++) {
    const text = await readText(path);
    if (text === null || tries === WRITING_TRIES || parseOwner(text) !== null) return text;
    await sleep(WRITING_MS);
  }
}

/** Removes a stale lock. If a third process renewed it in the meantime, this puts that lock back. */
async function moveAway(path: string, stale: string): Promise<void> {
  const moved = temporaryName(path);
  try {
    await rename(path, moved);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return;
    throw namingPath(error, { path, temporary: moved });
  }
  const text = await readText(moved);
  if (text !== null && text !== stale) await create(path, text).catch(() => undefined);
  await rm(moved, { force: true });
}

function parseOwner(text: string): Owner | null {
  try {
    return ownerSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** Tells whether the owner is alive. A process on another machine cannot be checked and counts as alive. */
function isAlive(owner: Owner): boolean {
  if (owner.host !== hostname()) return true;
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    // EPERM: the process runs under another user.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const now = startTicks(owner.pid);
  return now === null || owner.startTicks === null || now === owner.startTicks;
}

/** Field 22 of /proc/PID/stat (proc(5)). The name in field 2 may contain spaces, so fields are counted from its closing bracket. */
function startTicks(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}

function heldBy(folder: string, path: string, { pid, host }: Owner): ByteifyError {
  const elsewhere = host !== hostname();
  return new ByteifyError(`Process ${pid}${elsewhere ? ` on ${host}` : ''} is working in ${folder}.`, {
    hint: elsewhere
      ? `Wait until it is done; if it no longer runs, delete ${path}.`
      : 'Wait until it is done, stop it, or use another --out.',
  });
}

async function readText(path: string): Promise<string | null> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return null;
    throw namingPath(error, { path });
  });
}
