/** @module One process a conversion folder: a lock file that names its owner, and survives no crash for long. */

import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { ByteifyError } from '../errors.js';

export const LOCK_NAME = '.byteify.lock';

interface Owner {
  readonly pid: number;
  readonly host: string;
  /** When the process began, as the kernel counts; tells a reused pid from the old owner. Null where it is not known. */
  readonly startTicks: string | null;
  readonly id: string;
}

/**
 * Takes the lock of a folder; the returned function gives it back.
 * A lock whose process is gone (same machine only) is taken over.
 * @throws ByteifyError naming the process that holds it
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, LOCK_NAME);
  const owner: Owner = { pid: process.pid, host: hostname(), startTicks: startTicks(process.pid), id: randomUUID() };
  const text = JSON.stringify(owner);
  // Two rounds: the second after a stale lock was moved out of the way.
  for (let attempt = 0; attempt < 2; attempt++) {
    if (await createWhole(path, text)) {
      return async () => {
        if ((await readText(path)) === text) await rm(path, { force: true });
      };
    }
    const found = await readText(path);
    if (found === null) continue;
    const holder = parseOwner(found);
    if (holder !== null && isAlive(holder)) throw heldBy(folder, path, holder);
    await moveAway(path, found);
  }
  throw new ByteifyError(`Another process has just taken ${folder}.`, {
    hint: 'Wait until it is done, or use another --out.',
  });
}

/** Written under another name and linked, so that nobody reads half a lock. False when the lock exists. */
async function createWhole(path: string, text: string): Promise<boolean> {
  const temporary = `${path}.${randomUUID()}`;
  await writeFile(temporary, text);
  try {
    await link(temporary, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Takes a stale lock away; if a third process renewed it in the meantime, its lock is put back. */
async function moveAway(path: string, stale: string): Promise<void> {
  const moved = `${path}.${randomUUID()}`;
  try {
    await rename(path, moved);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if ((await readText(moved)) !== stale) await link(moved, path).catch(() => undefined);
  await rm(moved, { force: true });
}

function parseOwner(text: string): Owner | null {
  try {
    const { pid, host, startTicks: ticks, id } = JSON.parse(text) as Partial<Owner>;
    if (typeof pid !== 'number' || typeof host !== 'string') return null;
    return { pid, host, startTicks: ticks ?? null, id: id ?? '' };
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
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
}
