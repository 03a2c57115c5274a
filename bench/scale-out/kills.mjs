// Kills random processes of a training at random times, which is started again each time, and compares every step with one that was left alone.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../dist/net/index.js';
import { uniformOf } from '../../dist/random.js';
import { HOST, startGroup, stepsOf, untilSaid } from './group.mjs';

const PROCESSES = 2;

/** Runs to the end, or kills a process at some time after training began. @returns whether it ended by itself */
async function session(args, { killAfterMs, rank }) {
  const started = startGroup(args, { processes: PROCESSES, port: await freePort(HOST) });
  const ended = Promise.all(started.map(({ ended: end }) => end));
  const begun = await untilSaid(started[0], 'Fine-tuning: ').then(
    () => true,
    () => false,
  );
  let killed = false;
  const timer = setTimeout(() => {
    killed = started[rank].child.kill('SIGKILL');
  }, killAfterMs);
  const ends = await ended;
  clearTimeout(timer);
  if (!killed && ends.some(({ code }) => code !== 0)) throw new Error(started[0].said());
  return begun && !killed;
}

/**
 * @param {{ training: (out: string, sets: readonly string[]) => string[], work: string }} bench
 * @param {{ kills: number, steps: number, mostMs: number }} options
 */
export async function kills({ training, work }, { kills: wanted, steps, mostMs }) {
  const sets = [`stages.0.steps=${steps}`, `stages.0.validate_every=${steps}`, 'stages.0.checkpoint_every=3'];
  const folders = Object.fromEntries(['alone', 'killed'].map((name) => [name, join(work, `kills-${name}`)]));
  for (const folder of Object.values(folders)) rmSync(folder, { recursive: true, force: true });
  await session(training(folders.alone, sets), { killAfterMs: 2 ** 31 - 1, rank: 0 });
  // The times are the same in every run of the benchmark.
  const random = uniformOf('kills');
  let done = 0;
  const ofRank = new Array(PROCESSES).fill(0);
  for (let finished = false; !finished; ) {
    const rank = Math.floor(random() * PROCESSES);
    const killAfterMs = done < wanted ? random() * mostMs : 2 ** 31 - 1;
    finished = await session(training(folders.killed, sets), { killAfterMs, rank });
    if (finished) break;
    done++;
    ofRank[rank]++;
    process.stderr.write(`kill ${done}: step ${stepsOf(folders.killed).length} of ${steps}\n`);
  }
  const [alone, killed] = [stepsOf(folders.alone), stepsOf(folders.killed)];
  const different = alone.filter(({ loss, bytes }, i) => {
    const other = killed[i];
    return other === undefined || other.bytes !== bytes || Math.abs(other.loss / loss - 1) > 1e-5;
  });
  return {
    kills: done,
    of_rank: ofRank,
    steps: alone.length,
    steps_after_kills: killed.length,
    different_steps: different.length,
  };
}
