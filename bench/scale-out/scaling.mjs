// Weak scaling: each process has as many rows, whatever their number. Processes that train together are compared with as many that train each a
// model of its own at the same time, on the same cores: what is left of the difference is what it costs to be one training.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../dist/net/index.js';
import { ringBytes, stepSeconds } from '../../dist/plan/index.js';
import { median } from '../process.mjs';
import { HOST, loopbackBytes, startGroup, stepsOf } from './group.mjs';

/** Steps that load, trace and warm up. */
const WARM_UP = 3;

/**
 * @typedef {{ training: (out: string, sets: readonly string[]) => string[], work: string }} Bench
 * @typedef {{ rows: number, rowBytes: number, steps: number }} Work of each process
 */

/** Starts processes of a training, waits for their end, and returns the median of the milliseconds of a step. */
async function finished(out, started) {
  const ends = await Promise.all(started.map(({ ended }) => ended));
  if (ends.some(({ code }) => code !== 0)) throw new Error(started[0].said());
  const ms = stepsOf(out)
    .slice(WARM_UP)
    .map((step) => step.ms);
  rmSync(out, { recursive: true });
  return median(ms);
}

const settingsOf = ({ rows, rowBytes, steps }, processes) => [
  `stages.0.batch_bytes=${rows * rowBytes * processes}`,
  `stages.0.steps=${steps}`,
];

/** The milliseconds of a step when each process trains a model of its own. @param {Bench} bench @param {Work} work */
async function apart({ training, work: folder }, processes, work) {
  const runs = Array.from({ length: processes }, async (_, i) => {
    const out = join(folder, `apart-${i}`);
    rmSync(out, { recursive: true, force: true });
    const args = training(out, settingsOf(work, 1));
    return await finished(out, startGroup(args, { processes: 1, port: await freePort(HOST), core: i }));
  });
  return median(await Promise.all(runs));
}

/** The milliseconds of a step of one training, and what it sends. @param {Bench} bench @param {Work} work @param {readonly string[]} sets */
async function together({ training, work: folder }, processes, work, sets = []) {
  const out = join(folder, `together-${processes}`);
  rmSync(out, { recursive: true, force: true });
  const before = loopbackBytes();
  const args = training(out, [...settingsOf(work, processes), ...sets]);
  const ms = await finished(out, startGroup(args, { processes, port: await freePort(HOST), core: 0 }));
  return { ms, wire: (loopbackBytes() - before) / work.steps };
}

/**
 * @param {Bench} bench
 * @param {Work & { counts: number[], gradientBytes: number }} options
 */
export async function scaling(bench, { counts, gradientBytes, ...work }) {
  const results = [];
  for (const processes of counts) {
    process.stderr.write(`weak scaling: ${processes} processes\n`);
    const apartMs = await apart(bench, processes, work);
    const { ms, wire } = await together(bench, processes, work);
    const { wire: wireWithoutRows } =
      processes === 1 ? { wire } : await together(bench, processes, work, ['stages.0.frozen=[hash]']);
    results.push({
      ...{ processes, apart_ms: apartMs, ms, efficiency: apartMs / ms },
      ...{ wire_bytes_per_step: wire, wire_bytes_without_hash_rows: wireWithoutRows },
      least_wire_bytes_without_hash_rows: processes * ringBytes(gradientBytes, processes),
    });
  }
  return results;
}

/**
 * What the plan's simulator expects of so many processes. How fast they send follows from two processes. Over loopback, sending is work of their
 * own cores, so those that have a smaller share of a core also send more slowly.
 * @param {any[]} results of `scaling` @param {number} gradientBytes @returns {number[]} milliseconds of a step
 */
export function predictedMs(results, gradientBytes) {
  const two = results.find(({ processes }) => processes === 2);
  const rowBytes = (two.wire_bytes_per_step - two.wire_bytes_without_hash_rows) / 2;
  const waited = Math.max(1e-3, (two.ms - two.apart_ms) / 1000);
  const rate = (ringBytes(gradientBytes, 2) + rowBytes) / waited;
  return results.map(({ processes, apart_ms: apartMs }) => {
    const parts = { computeSeconds: apartMs / 1000, serialSeconds: 0, buckets: [gradientBytes], rowBytes };
    const network = { latencySeconds: 0, bytesPerSecond: (rate * two.apart_ms) / apartMs };
    return 1000 * stepSeconds(parts, processes, network);
  });
}
