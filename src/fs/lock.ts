/** @module One process a conversion folder: a lock file that names its owner, and survives no crash for long. */

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

/** How long a lock may be half-written before it counts as left by a process that was killed: 20 looks, 50 ms apart. */
const WRITING_TRIES = 20;
const WRITING_MS = 50;

const ownerSchema = z.object({
  pid: z.int().positive(),
  host: z.string(),
  /** When the process began, as the kernel counts; tells a reused pid from the old owner. Null where it is not known. */
  startTicks: z.string().nullable(),
  id: z.string(),
});

type Owner = Readonly<z.infer<typeof ownerSchema>>;

/**
 * Takes the lock of a folder; the returned function gives it back.
 * A lock whose process is gone (same machine only) is taken over.
 * @throws ByteifyError naming the process that holds it, or why the folder takes no lock
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, LOCK_NAME);
  const owner: Owner = { pid: process.pid, host: hostname(), startTicks: startTicks(process.pid), id: randomUUID() };
  const text = JSON.stringify(owner);
  const release = async () => {
    if ((await readText(path)) === text) await rm(path, { force: true });
  };
  // Two rounds: the second after a stale lock was moved out of the way.
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
  throw new ByteifyError(`Another process has just taken ${folder}.`, {
    hint: 'Wait until it is done, or use another --out.',
  });
}

/**
 * Creates the lock and writes its owner into it. Needs no links, which some disks lack.
 * @returns false when the lock exists, or was taken over between its creation and the end of the writing
 * @throws an error of the system; then no lock is left
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

/** The text of a lock once it is whole, as far as its owner is quick; null when there is no lock. */
async function readWhole(path: string): Promise<string | null> {
  for (let tries = 0; ; tries++) {
    const text = await readText(path);
    if (text === null || tries === WRITING_TRIES || parseOwner(text) !== null) return text;
    await sleep(WRITING_MS);
  }
}

/** Takes a stale lock away; if a third process renewed it in the meantime, its lock is put back. */
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

/** A process on another machine cannot be asked: it counts as alive. */
function isAlive(owner: Owner): boolean {
  if (owner.host !== hostname()) return true;
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    // EPERM: it runs, under another user.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const now = startTicks(owner.pid);
  return now === null || owner.startTicks === null || now === owner.startTicks;
}

/** Field 22 of /proc/PID/stat (proc(5)); the name in field 2 may hold spaces, so count from its closing bracket. */
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
      ? `Wait until it is done; if it is gone, delete ${path}.`
      : 'Wait until it is done, stop it, or use another --out.',
  });
}

async function readText(path: string): Promise<string | null> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return null;
    throw namingPath(error, { path });
  });
}
