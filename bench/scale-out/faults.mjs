// What happens when something goes wrong with one of two processes, and how soon the other one notices.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { freePort } from '../../dist/net/index.js';
import { HOST, startGroup, stepsOf, untilSaid } from './group.mjs';

const SILENCE_SECONDS = 5;
const STARTED = 'Fine-tuning: ';

/** The error that a process printed. */
const errorOf = ({ said }) => /^(?:error|warning): (.*)$/m.exec(said())?.[1] ?? '(nothing)';

/** Starts two processes and waits until they train. */
async function training({ training: args, work }, name) {
  const out = join(work, `fault-${name}`);
  rmSync(out, { recursive: true, force: true });
  const settings = ['stages.0.steps=2000', 'stages.0.validate_every=2000'];
  const env = { BYTEIFY_SILENCE_SECONDS: `${SILENCE_SECONDS}` };
  const started = startGroup(args(out, settings), { processes: 2, port: await freePort(HOST), envOf: () => env });
  await untilSaid(started[0], STARTED);
  return { out, started };
}

/** Ends what is left. */
async function finish({ out, started }) {
  for (const { child } of started) child.kill('SIGKILL');
  await Promise.all(started.map(({ ended }) => ended));
  rmSync(out, { recursive: true, force: true });
}

/** Signals a process, and measures until the other one has ended. */
async function signalled(bench, { name, what, signal, rank }) {
  const run = await training(bench, name);
  const at = performance.now();
  run.started[rank].child.kill(signal);
  const witness = run.started[1 - rank];
  const { code, at: noticed } = await witness.ended;
  const result = { what, seconds: (noticed - at) / 1000, exit_code: code, message: errorOf(witness) };
  await finish(run);
  return result;
}

/** A process that is stopped half of the time, but never as long as silence is allowed. */
async function slow(bench) {
  const run = await training(bench, 'slow');
  const at = performance.now();
  let stopped = false;
  const timer = setInterval(() => {
    stopped = !stopped;
    run.started[1].child.kill(stopped ? 'SIGSTOP' : 'SIGCONT');
  }, 400);
  const timeout = setTimeout(() => run.started[0].child.kill('SIGKILL'), 600_000);
  await untilSaid(run.started[0], 'times as long per step').catch(() => {});
  clearInterval(timer);
  clearTimeout(timeout);
  run.started[1].child.kill('SIGCONT');
  const result = {
    what: 'process 1 is stopped half of the time',
    seconds: (performance.now() - at) / 1000,
    exit_code: null,
    message: errorOf(run.started[0]),
  };
  await finish(run);
  return result;
}

async function portTaken({ training: args, work }) {
  const server = createServer();
  await new Promise((resolve) => server.listen({ port: 0, host: '127.0.0.1' }, () => resolve(null)));
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  const out = join(work, 'fault-port');
  const at = performance.now();
  const [leader, other] = startGroup(args(out, []), { processes: 2, port });
  const { code, at: noticed } = await leader.ended;
  other.child.kill('SIGKILL');
  await other.ended;
  server.close();
  if (existsSync(out)) throw new Error('a refused command left a folder');
  return { what: 'the port is taken', seconds: (noticed - at) / 1000, exit_code: code, message: errorOf(leader) };
}

/** A folder that two jobs are given. */
async function sameFolder(bench) {
  const run = await training(bench, 'folder');
  const at = performance.now();
  const [leader, other] = startGroup(bench.training(run.out, []), { processes: 2, port: await freePort(HOST) });
  const { code, at: noticed } = await leader.ended;
  await other.ended;
  const message = errorOf(leader)
    .replace(run.out, 'DIR')
    .replace(/Process \d+/, 'Process N');
  await finish(run);
  return { what: 'a second job in the same folder', seconds: (noticed - at) / 1000, exit_code: code, message };
}

/** A file system of few megabytes, on which the data fit and a checkpoint does not; null if this user may not mount one. */
function smallDisk(folder) {
  mkdirSync(folder, { recursive: true });
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', folder]);
  return status === 0 ? () => spawnSync('umount', ['-l', folder]) : null;
}

async function diskFull({ training: args, work }) {
  const disk = join(work, 'small-disk');
  const unmount = smallDisk(disk);
  if (unmount === null) return null;
  const out = join(disk, 'out');
  const started = startGroup(args(out, ['stages.0.checkpoint_every=1']), { processes: 2, port: await freePort(HOST) });
  const [leader, witness] = started;
  const [first, second] = await Promise.all(started.map(({ ended }) => ended));
  unmount();
  const message = `${errorOf(leader)} ${errorOf(witness)}`.replaceAll(out, 'DIR');
  const seconds = Math.max(0, second.at - first.at) / 1000;
  return { what: 'the disk is full at a checkpoint', seconds, exit_code: second.code, message };
}

/** The clock of process 1 is an hour ahead. */
async function clockSkew({ training: args, work }) {
  const out = join(work, 'fault-clock');
  rmSync(out, { recursive: true, force: true });
  const ahead = join(work, 'clock.cjs');
  writeFileSync(ahead, 'const now = Date.now; Date.now = () => now() + 3600e3;');
  const envOf = (rank) => (rank === 1 ? { NODE_OPTIONS: `--require=${ahead}` } : {});
  const started = startGroup(args(out, []), { processes: 2, port: await freePort(HOST), envOf });
  const ends = await Promise.all(started.map(({ ended }) => ended));
  const { length } = stepsOf(out);
  rmSync(out, { recursive: true, force: true });
  const message = `(${length} steps, as without)`;
  return { what: 'the clock of process 1 is an hour ahead', seconds: null, exit_code: ends[0].code, message };
}

/** @param {{ training: (out: string, sets: readonly string[]) => string[], work: string }} bench */
export async function faults(bench) {
  const results = [];
  const SIGNALS = [
    { name: 'killed', what: 'process 1 is killed', signal: 'SIGKILL', rank: 1 },
    { name: 'leader', what: 'process 0 is killed', signal: 'SIGKILL', rank: 0 },
    {
      ...{ name: 'stopped', what: `process 1 is stopped; ${SILENCE_SECONDS} s of silence are allowed` },
      ...{ signal: 'SIGSTOP', rank: 1 },
    },
  ];
  for (const signal of SIGNALS) results.push(await signalled(bench, signal));
  for (const fault of [slow, portTaken, sameFolder, diskFull, clockSkew]) results.push(await fault(bench));
  const anywhere = (text) => text.replace(/pid \d+ on \S+\)/g, 'pid N on HOST)').replaceAll(bench.work, 'DIR');
  return results
    .filter((result) => result !== null)
    .map((result) => ({ ...result, message: anywhere(result.message) }));
}
