// Runs one client against one fault, with an empty cache and a new hub.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { startClient } from './clients.mjs';
import { WEIGHTS_BYTES } from './faults.mjs';
import { judge } from './judge.mjs';
import { startLoopback } from './loopback.mjs';

/** A download that takes longer counts as hanging. */
const LIMIT_MS = 150_000;
/** The size of a disk that is too small for the weights. */
const SMALL_DISK_BYTES = WEIGHTS_BYTES * 0.75;

/** @returns the client's exit code; null if it was stopped at the time limit */
async function exitCodeOf({ child, ended }) {
  const timer = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
  const { code } = await ended;
  clearTimeout(timer);
  return code;
}

const weightsSent = async (hub) =>
  (await hub.requests())
    .filter(({ url }) => url.startsWith('/cdn/'))
    .reduce((sum, { sentBytes }) => sum + sentBytes, 0);

async function killHalfway(hub, start) {
  const { child, ended } = start();
  while ((await weightsSent(hub)) < WEIGHTS_BYTES / 2 && child.exitCode === null) await wait(20);
  child.kill('SIGKILL');
  await ended;
}

/** Mounts a small disk. @returns false if this process lacks the permission */
function mountSmallDisk(at) {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SMALL_DISK_BYTES}`, 'tmpfs', at], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** @returns the outcome, the duration, and how many bytes of the weights were sent again after a kill */
export async function runFault({ row, client, compiled, source, work }) {
  const home = join(work, 'home');
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home, { recursive: true });
  const mounted = row.act === 'full-disk';
  if (mounted && !mountSmallDisk(home)) return { outcome: 'not measured: mounting a disk needs root' };
  const hub = await startLoopback(compiled, {
    repos: { 'org/name': source },
    faults: row.faults ?? [],
    ...(row.gated && { gated: ['org/name'], token: 'hf_of_somebody' }),
    ...(row.renamed && { renamed: { 'org/old': 'org/name' } }),
  });
  const model = row.renamed ? 'org/old' : 'org/name';
  const start = () => startClient(client, { model, endpoint: hub.url, home });
  try {
    if (row.act === 'kill') await killHalfway(hub, start);
    const beganMs = performance.now();
    const code = await exitCodeOf(start());
    const seconds = (performance.now() - beganMs) / 1000;
    const repository = join(home, 'hub', `models--${model.replace('/', '--')}`);
    const outcome = judge({ source, repository, code });
    const again = row.act === 'kill' ? Math.max(0, (await weightsSent(hub)) - WEIGHTS_BYTES) : 0;
    return { outcome, seconds, ...(row.act === 'kill' && { sent_again_bytes: again }) };
  } finally {
    await hub.close();
    if (mounted) execFileSync('umount', ['--lazy', home]);
    if (existsSync(home)) rmSync(home, { recursive: true, force: true });
  }
}
