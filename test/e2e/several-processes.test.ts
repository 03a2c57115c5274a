/** Training with several processes on this machine: the same losses, and what happens when one is lost. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Running, startCli } from '../support/cli.js';
import { OWN_TEXT, tinyConversion } from '../support/conversions.js';
import { expectSameSteps, type Step, stepsOf } from '../support/steps-of-run.js';

const folder = mkdtempSync(join(tmpdir(), 'byteify-processes-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const STEPS = 6;
const SETTINGS = [
  `stages.0.steps=${STEPS}`,
  'stages.0.warmup_steps=1',
  'stages.0.learning_rate=1e-4',
  // Nine rows: neither two nor four processes have equal shares.
  'stages.0.batch_bytes=4608',
  'stages.0.micro_batch_size=2',
  `stages.0.validate_every=${STEPS}`,
  'stages.0.checkpoint_every=2',
  'evaluate.validation_bytes=1024',
  'hardware.mode=graph',
];

let start = '';
beforeAll(async () => {
  start = join((await tinyConversion()).folder, 'blt');
});

const steps = (out: string) => stepsOf(join(folder, out));
const metricsOf = (out: string) => join(folder, out, 'run', 'metrics.jsonl');

/** Trains a copy of the model, or continues to. @param more settings that replace those above */
const trainingOf = (out: string, more: readonly string[] = []) => [
  ...['finetune', start, '--recipe', 'tiny-paper', '--data', ...OWN_TEXT, '--out', join(folder, out)],
  ...[...SETTINGS, ...more].flatMap((set) => ['--set', set]),
  ...['--device', 'cpu', '--threads', '1'],
];

interface Launched {
  readonly restarts?: number;
  readonly settings?: readonly string[];
  readonly env?: Record<string, string>;
}

const launched = (out: string, processes: number, { restarts = 0, settings, env }: Launched = {}): Running =>
  startCli(
    ['launch', '--processes', `${processes}`, '--restarts', `${restarts}`, '--', ...trainingOf(out, settings)],
    env === undefined ? {} : { env },
  );

/** The processes that a launcher has started, by rank. */
function processesOf({ child }: Running): number[] {
  return readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim().split(' ').map(Number);
}

const checkpoints = (out: string) =>
  readdirSync(join(folder, out, 'run')).filter((name) => name.startsWith('checkpoint-'));

/** As many steps that the signal arrives in the middle. */
const LONG = ['stages.0.steps=2000', 'stages.0.validate_every=2000'];

describe('finetune with several processes', { timeout: 300_000 }, () => {
  let alone: Step[] = [];
  beforeAll(async () => {
    const { code, stderr } = await startCli(trainingOf('alone')).finished;
    expect(code, stderr).toBe(0);
    alone = steps('alone');
    expect(alone).toHaveLength(STEPS);
  }, 300_000);

  it.each([2, 4])('has the losses of one process on %i', async (processes) => {
    const { code, stderr } = await launched(`${processes}`, processes).finished;
    expect(code, stderr).toBe(0);
    expectSameSteps(steps(`${processes}`), alone);
  });

  it('resumes on four what two have begun and one has continued', async () => {
    const begun = launched('resumed', 2, { settings: LONG });
    await begun.seen('Fine-tuning: ');
    begun.child.kill('SIGTERM');
    const stopped = await begun.finished;
    expect(stopped.code, stopped.stderr).toBe(143);
    const { length } = steps('resumed');
    expect(checkpoints('resumed')).toContain(`checkpoint-${String(length).padStart(6, '0')}`);
    const continued = startCli(trainingOf('resumed', LONG));
    await continued.seen('Fine-tuning: ');
    continued.child.kill('SIGTERM');
    expect((await continued.finished).code).toBe(143);
    const last = launched('resumed', 4, { settings: LONG });
    await last.seen('Fine-tuning: ');
    last.child.kill('SIGTERM');
    expect((await last.finished).code).toBe(143);
    const taken = steps('resumed');
    expect(taken.length).toBeGreaterThan(length);
    const count = Math.min(taken.length, STEPS);
    // The schedule is that of a longer run, so only the first step, before any update, is that of the short run.
    expectSameSteps(taken.slice(0, 1), alone.slice(0, 1));
    expect(count).toBeGreaterThan(1);
  });

  it('names a process that is killed, and keeps the last checkpoint', async () => {
    const running = launched('killed', 2, { settings: LONG });
    await running.seen('Fine-tuning: ');
    const [, second] = processesOf(running);
    process.kill(second!, 'SIGKILL');
    const { code, stderr } = await running.finished;
    expect(code).toBe(1);
    expect(stderr).toContain(`Process 1 (pid ${second} on `);
    expect(stderr).toContain('has ended.');
    expect(stderr).not.toContain('TensorFlow failed');
  });

  it('names a process that hangs', async () => {
    const running = launched('hung', 2, { settings: LONG, env: { BYTEIFY_SILENCE_SECONDS: '3' } });
    await running.seen('Fine-tuning: ');
    const [, second] = processesOf(running);
    process.kill(second!, 'SIGSTOP');
    await running.seen(`Process 1 (pid ${second} on `);
    await running.seen('has given no sign of life for 3 s.');
    // The launcher would wait for it.
    process.kill(second!, 'SIGKILL');
    expect((await running.finished).code).toBe(1);
  });

  it('starts again from the last checkpoint when a process is killed, rank 0 included', async () => {
    const settings = ['stages.0.steps=14', 'stages.0.validate_every=14'];
    const running = launched('restarted', 2, { settings, restarts: 2 });
    const taken = async (count: number) => {
      while (!existsSync(metricsOf('restarted')) || steps('restarted').length < count) await sleep(100);
    };
    const [leader, second] = [0, 1];
    await taken(3);
    process.kill(processesOf(running)[second]!, 'SIGKILL');
    await running.seen('(1 of 2)');
    await taken(7);
    process.kill(processesOf(running)[leader]!, 'SIGKILL');
    const { code, stderr } = await running.finished;
    expect(stderr).toContain('(2 of 2)');
    expect(code, stderr).toBe(0);
    // Every step once, whatever was taken again after the last checkpoint.
    expect(steps('restarted')).toHaveLength(14);
  });

  it('refuses more processes than rows', async () => {
    const { code, stderr } = await launched('rows', 2, { settings: ['stages.0.batch_bytes=512'] }).finished;
    expect(code).toBe(2);
    expect(stderr).toContain('A step has 1 rows, which 2 processes cannot share.');
  });

  it('refuses a port that another process uses', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    const env = { RANK: '0', WORLD_SIZE: '2', MASTER_ADDR: '127.0.0.1', MASTER_PORT: `${port}` };
    const { code, stderr } = await startCli(trainingOf('port'), { env }).finished;
    server.close();
    expect(code).toBe(1);
    expect(stderr).toContain(`Process 0 cannot listen at 127.0.0.1:${port}: another process listens there.`);
    expect(existsSync(join(folder, 'port'))).toBe(false);
  });

  it('refuses a command that processes cannot share', async () => {
    const { code, stderr } = await startCli(['launch', '--processes', '2', '--', 'evaluate', start]).finished;
    expect(code).toBe(2);
    expect(stderr).toContain('Several processes cannot share `evaluate`.');
  });
});
