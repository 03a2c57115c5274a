// Weak scaling: each process has as many rows and as large a share of a core, whatever their number.
import { rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../dist/net/index.js';
import { ringBytes, ringSeconds, stepSeconds } from '../../dist/plan/index.js';
import { median } from '../process.mjs';
import { HOST, loopbackBytes, occupy, startGroup, stepsOf } from './group.mjs';

/** Steps that load, trace and warm up. */
const WARM_UP = 3;

/**
 * Trains with so many processes.
 * @param {{ training: (out: string, sets: readonly string[]) => string[], work: string }} bench
 * @param {{ processes: number, most: number, rows: number, rowBytes: number, steps: number }} options
 */
async function measured({ training, work }, { processes, most, rows, rowBytes, steps }) {
  const cores = availableParallelism();
  const out = join(work, `scaling-${processes}`);
  rmSync(out, { recursive: true, force: true });
  const args = training(out, [`stages.0.batch_bytes=${rows * rowBytes * processes}`, `stages.0.steps=${steps}`]);
  // The cores of absent processes are kept busy, so that a process has the same share of one.
  const free = occupy(Array.from({ length: most - processes }, (_, i) => (processes + i) % cores));
  const before = loopbackBytes();
  const started = startGroup(args, { processes, port: await freePort(HOST), pinned: true });
  const ends = await Promise.all(started.map(({ ended }) => ended));
  free();
  if (ends.some(({ code }) => code !== 0)) throw new Error(started[0].said());
  const wire = loopbackBytes() - before;
  const all = stepsOf(out);
  rmSync(out, { recursive: true });
  return { processes, ms: median(all.slice(WARM_UP).map(({ ms }) => ms)), wire_bytes_per_step: wire / all.length };
}

/**
 * @param {Parameters<typeof measured>[0]} bench
 * @param {{ counts: number[], rows: number, rowBytes: number, steps: number, gradientBytes: number }} options
 */
export async function scaling(bench, { counts, gradientBytes, ...rest }) {
  const most = Math.max(...counts);
  const results = [];
  for (const processes of counts) {
    process.stderr.write(`weak scaling: ${processes} processes\n`);
    results.push(await measured(bench, { processes, most, ...rest }));
  }
  const [alone, two] = results;
  // The rate of the wire follows from two processes, and is then tried on more.
  const waited = Math.max(1e-3, (two.ms - alone.ms) / 1000);
  const network = { latencySeconds: 0, bytesPerSecond: ringBytes(gradientBytes, 2) / waited };
  const parts = { computeSeconds: alone.ms / 1000, serialSeconds: 0, buckets: [gradientBytes] };
  return results.map((result) => ({
    ...result,
    efficiency: alone.ms / result.ms,
    least_wire_bytes_per_step: result.processes * ringBytes(gradientBytes, result.processes),
    predicted_ms: 1000 * stepSeconds(parts, result.processes, network),
    sum_ms: 1000 * ringSeconds(gradientBytes, result.processes, network),
  }));
}
