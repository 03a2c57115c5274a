import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildStore, openStore, textDomain } from '../../../src/data/index.js';
import { startEngine } from '../../../src/engine/index.js';
import { growCapacity } from '../../../src/finetune/batches/capacity.js';
import { checkpointName } from '../../../src/finetune/loop/checkpoint.js';
import { train } from '../../../src/finetune/loop/train.js';
import { stagePlan } from '../../../src/finetune/loop/training-plan.js';
import { endToEndObjective } from '../../../src/finetune/stages/end-to-end.js';
import { recipeSchema, type TrainingStage } from '../../../src/recipe/index.js';
import { temporaryFolder } from '../../support/temporary-folder.js';
import { goldenStart, patchCapacity, type Start } from '../../support/training.js';

let start: Start;
beforeAll(async () => {
  await startEngine({ threads: 2 });
  start = await goldenStart();
});

describe('growCapacity', () => {
  it('keeps a capacity that is sufficient, and otherwise grows to a multiple of eight with some spare room', () => {
    expect([growCapacity(0, 0), growCapacity(24, 3), growCapacity(24, 24)]).toEqual([0, 24, 24]);
    expect([growCapacity(0, 1), growCapacity(24, 25), growCapacity(24, 100)]).toEqual([8, 32, 104]);
  });
});

describe('a resumed run', () => {
  const folder = temporaryFolder();

  it('continues with the capacity of its checkpoint and saves it again', async () => {
    await mkdir(join(folder(), 'text'));
    for (let i = 0; i < 20; i++)
      await writeFile(join(folder(), 'text', `${i}.txt`), `Text ${i} of ${i * i}.\n`.repeat(4));
    const out = join(folder(), 'data');
    const how = { validationFraction: 0.2, seed: 1, textKey: 'text' };
    await buildStore({ domains: [textDomain([join(folder(), 'text')], 80)], out, ...how });
    const store = await openStore(out);
    const stages = (steps: number) => [{ kind: 'end-to-end', steps, batch_bytes: 96, sequence_length: 48 }];
    const plan = (steps: number) => {
      const recipe = recipeSchema.parse({ name: 'test', stages: stages(steps), hardware: { mode: 'graph' } });
      return stagePlan(recipe.stages[0] as TrainingStage, recipe.hardware, { devices: 1 });
    };
    const { config } = start;
    const run = async (steps: number) => {
      const { params } = await train({
        objective: endToEndObjective(config, { frozen: [] }),
        config,
        start: start.reader,
        plan: plan(steps),
        data: store.train,
        flopsOf: () => 0,
        run: join(folder(), 'run'),
        root: join(folder(), 'run'),
        seed: 1,
        settings: 's',
        signal: new AbortController().signal,
      });
      for (const tensor of params.values()) tensor.dispose();
    };
    const path = (step: number) => join(folder(), 'run', checkpointName(step), 'trainer_state.json');
    await run(1);
    const state = JSON.parse(await readFile(path(1), 'utf8'));
    expect(state.room.patches % 8).toBe(0);
    expect(state.room.patches).toBeGreaterThan(0);
    await writeFile(path(1), JSON.stringify({ ...state, room: patchCapacity(96) }));
    await run(2);
    expect(JSON.parse(await readFile(path(2), 'utf8')).room.patches).toBe(96);
    await store.close();
  });
});
