// One client against one fault: a fresh cache, a fresh hub, and what came of it.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { startClient } from './clients.mjs';
import { WEIGHTS_BYTES } from './faults.mjs';
import { judge } from './judge.mjs';
import { startLoopback } from './loopback.mjs';

/** What takes longer is not a download. */
const LIMIT_MS = 150_000;
/** Of a disk that is too small for the weights. */
const SMALL_DISK_BYTES = WEIGHTS_BYTES * 0.75;

/** @returns its exit code; null when it was stopped because time was up. */
async function endOf({ child, ended }) {
  const timer = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
  const { code } = await ended;
  clearTimeout(timer);
  return code;
}

const weightsSent = async (hub) =>
  (await hub.requests())
    .filter(({ url }) => url.startsWith('/cdn/'))
    .reduce((sum, { sentBytes }) => sum + sentBytes, 0);

async function killAtHalf(hub, start) {
  const { child, ended } = start();
  while ((await weightsSent(hub)) < WEIGHTS_BYTES / 2 && child.exitCode === null) await wait(20);
  child.kill('SIGKILL');
  await ended;
}

/** @returns false where this process may not make a disk. */
function smallDisk(at) {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SMALL_DISK_BYTES}`, 'tmpfs', at], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** @returns what became of it, in how long, and the bytes of the weights that a second run was sent again. */
export async function runFault({ row, client, compiled, source, work }) {
  const home = join(work, 'home');
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home, { recursive: true });
  const mounted = row.act === 'full-disk';
  if (mounted && !smallDisk(home)) return { outcome: 'not measured: needs the right to mount' };
  const hub = await startLoopback(compiled, {
    repos: { 'org/name': source },
    faults: row.faults ?? [],
    ...(row.gated && { gated: ['org/name'], token: 'hf_of_somebody' }),
    ...(row.renamed && { renamed: { 'org/old': 'org/name' } }),
  });
  const model = row.renamed ? 'org/old' : 'org/name';
  const start = () => startClient(client, { model, endpoint: hub.url, home });
  try {
    if (row.act === 'kill') await killAtHalf(hub, start);
    const beganMs = performance.now();
    const code = await endOf(start());
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
