/** Training on several devices: XLA's plugin for the CPU, divided. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCli } from '../support/cli.js';
import { OWN_TEXT, tinyConversion } from '../support/conversions.js';
import setUpPlugin from '../support/openxla.js';
import { expectSameSteps, type Step, stepsOf } from '../support/steps-of-run.js';

const folder = mkdtempSync(join(tmpdir(), 'byteify-devices-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const STEPS = 4;
const SETTINGS = [
  `stages.0.steps=${STEPS}`,
  'stages.0.warmup_steps=1',
  'stages.0.learning_rate=1e-4',
  'stages.0.batch_bytes=4096',
  'stages.0.micro_batch_size=2',
  `stages.0.validate_every=${STEPS}`,
  'evaluate.validation_bytes=1024',
];

let start = '';
beforeAll(async () => {
  await setUpPlugin();
  start = join((await tinyConversion()).folder, 'blt');
});

/** Trains a copy of the model, or continues to. */
const training = (out: string, devices: number, flags: readonly string[] = []) =>
  startCli([
    ...['finetune', start, '--recipe', 'tiny-paper', '--data', ...OWN_TEXT, '--out', join(folder, out)],
    ...SETTINGS.flatMap((set) => ['--set', set]),
    ...['--device', 'cpu-xla', '--devices', String(devices), ...flags],
  ]);

const steps = (out: string) => stepsOf(join(folder, out));

describe('finetune on the CPU as several devices', () => {
  let alone: Step[] = [];
  beforeAll(async () => {
    const { code, stderr } = await training('alone', 1).finished;
    expect(code, stderr).toBe(0);
    alone = steps('alone');
    expect(alone).toHaveLength(STEPS);
  });

  it('has the losses of one device on two, each with all weights and half of the rows', async () => {
    const { code, stderr } = await training('two', 2).finished;
    expect(code, stderr).toBe(0);
    expectSameSteps(steps('two'), alone);
  });

  it('resumes on four, which share the weights, what one device began', async () => {
    const begun = training('resumed', 1);
    await begun.seen('Fine-tuning: ');
    begun.child.kill('SIGTERM');
    expect((await begun.finished).code).toBe(143);
    expect(steps('resumed').length).toBeLessThan(STEPS);
    const { code, stderr } = await training('resumed', 4, ['--fully-sharded']).finished;
    expect(code, stderr).toBe(0);
    expectSameSteps(steps('resumed'), alone);
  });
});
