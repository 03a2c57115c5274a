import { mkdtempSync, rmSync } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { readBltConfig } from '../../../src/blt/index.js';
import { type Engine, startEngine } from '../../../src/engine/index.js';
import { checkpointSteps } from '../../../src/finetune/index.js';
import type { StepModeOptions } from '../../../src/finetune/loop/choose-step-mode.js';
import type { TrainStepOptions } from '../../../src/finetune/loop/train-step.js';
import { openSafetensorsFile } from '../../../src/safetensors/index.js';
import { goldenPath } from '../../support/golden.js';
import { bytesOf, checkpointOf, differing, openRuns, type Runs, recipeWith } from '../support/runs.js';

/** What createTrainStep, the patcher and chooseMode received or returned, in order. */
const seen = vi.hoisted(() => ({
  steps: [] as unknown[],
  entropies: [] as Float32Array[],
  modeOptions: [] as unknown[],
  capabilities: { onOpenXla: false },
}));
vi.mock('../../../src/finetune/loop/train-step.js', async (original) => {
  const real = await original<typeof import('../../../src/finetune/loop/train-step.js')>();
  const createTrainStep: typeof real.createTrainStep = (options) => {
    seen.steps.push(options);
    return real.createTrainStep(options);
  };
  return { ...real, createTrainStep };
});
vi.mock('../../../src/model/patcher/runner.js', async (original) => {
  const real = await original<typeof import('../../../src/model/patcher/runner.js')>();
  const createPatcherRunner: typeof real.createPatcherRunner = (...args) => {
    const made = real.createPatcherRunner(...args);
    const run: typeof made.run = async (batch) => {
      const output = await made.run(batch);
      seen.entropies.push(output.entropies.slice());
      return output;
    };
    return { ...made, run };
  };
  return { ...real, createPatcherRunner };
});
vi.mock('../../../src/finetune/loop/choose-step-mode.js', async (original) => {
  const real = await original<typeof import('../../../src/finetune/loop/choose-step-mode.js')>();
  const chooseMode: typeof real.chooseMode = (options) => {
    seen.modeOptions.push(options);
    return real.chooseMode(options);
  };
  return { ...real, chooseMode };
});
vi.mock('../../../src/engine/capabilities.js', async (original) => {
  const real = await original<typeof import('../../../src/engine/capabilities.js')>();
  return { ...real, onOpenXla: () => seen.capabilities.onOpenXla || real.onOpenXla() };
});

const folder = mkdtempSync(join(tmpdir(), 'byteify-options-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const BLT = goldenPath('plain/blt');
let engine: Engine;
let runs: Runs;
beforeAll(async () => {
  engine = await startEngine({ threads: 2 });
  runs = await openRuns(folder);
});
afterAll(() => runs.close());
beforeEach(() => {
  for (const list of [seen.steps, seen.entropies, seen.modeOptions]) list.length = 0;
});

const steps = () => seen.steps as TrainStepOptions[];
const short = { steps: 2, validate_every: 2, checkpoint_every: 1 };

async function modeWritten(name: string, step: number): Promise<unknown> {
  const text = await readFile(join(checkpointOf(runs.path(name), step), 'trainer_state.json'), 'utf8');
  return JSON.parse(text).mode;
}

describe('hardware.mode', () => {
  it.each(['eager', 'graph', 'xla'] as const)(
    '%s is passed to the step and recorded in the checkpoint without timing anything',
    async (mode) => {
      await runs.run(mode, BLT, recipeWith(short, mode));
      expect(steps().map((options) => options.mode)).toEqual([mode]);
      expect(await modeWritten(mode, 2)).toBe(mode);
      expect(seen.modeOptions).toEqual([]);
    },
  );

  it('changes the metrics only by rounding', async () => {
    const [eager, ...others] = await Promise.all(['eager', 'graph', 'xla'].map((mode) => runs.curve(mode)));
    for (const curve of others)
      curve.forEach((line, i) => {
        for (const [key, value] of Object.entries(eager![i]!))
          expect(line[key], `${key} of line ${i}`).toBeCloseTo(value, 4);
      });
  });

  it('auto passes the run’s sizes to chooseMode, which picks graph for a short run', async () => {
    await runs.run('auto', BLT, recipeWith({ ...short, micro_batch_size: 2 }, 'auto'));
    expect(steps().map((options) => options.mode)).toEqual(['graph']);
    expect(await modeWritten('auto', 2)).toBe('graph');
    const [modeOptions] = seen.modeOptions as StepModeOptions[];
    expect(modeOptions).toMatchObject({ wholeModel: true, rows: 2, length: 64, steps: 2 });
  });

  it('auto keeps the mode of a resumed run without timing again', async () => {
    await expect(runs.run('begun', BLT, recipeWith(short, 'eager'), 1)).rejects.toThrow('stop');
    await runs.run('begun', BLT, recipeWith(short, 'auto'));
    expect(steps().map((options) => options.mode)).toEqual(['eager', 'eager']);
    expect(seen.modeOptions).toEqual([]);
    expect(await modeWritten('begun', 2)).toBe('eager');
    const weights = (name: string) => bytesOf(checkpointOf(runs.path(name), 2));
    expect(differing(await weights('begun'), await weights('eager'))).toEqual([]);
  });

  it('replaces the mode of a resumed run if the recipe names one, and records it', async () => {
    await expect(runs.run('changed', BLT, recipeWith(short, 'eager'), 1)).rejects.toThrow('stop');
    await runs.run('changed', BLT, recipeWith(short, 'graph'));
    expect(steps().map((options) => options.mode)).toEqual(['eager', 'graph']);
    expect(await modeWritten('changed', 2)).toBe('graph');
  });

  it('is chosen again if the checkpoint does not record it', async () => {
    await expect(runs.run('older', BLT, recipeWith(short, 'eager'), 1)).rejects.toThrow('stop');
    const path = join(checkpointOf(runs.path('older'), 1), 'trainer_state.json');
    const { mode: _mode, ...older } = JSON.parse(await readFile(path, 'utf8'));
    await writeFile(path, JSON.stringify(older));
    await runs.run('older', BLT, recipeWith(short, 'auto'));
    expect(seen.modeOptions).toHaveLength(1);
    expect(steps().map((options) => options.mode)).toEqual(['eager', 'graph']);
    expect(await modeWritten('older', 2)).toBe('graph');
  });
});

describe('chooseMode', () => {
  const choose = async (capabilities: Partial<typeof seen.capabilities>, count: number) => {
    const { chooseMode } = await import('../../../src/finetune/loop/choose-step-mode.js');
    const config = await readBltConfig(BLT);
    Object.assign(seen.capabilities, capabilities);
    try {
      return await chooseMode({ config, wholeModel: true, rows: 2, length: 64, steps: count });
    } finally {
      Object.assign(seen.capabilities, { onOpenXla: false });
    }
  };

  it('picks XLA on a device of OpenXLA', async () => {
    expect(await choose({ onOpenXla: true }, 1)).toBe('xla');
  });

  it('times both modes for a long run, and leaks no tensor', async () => {
    const handles = engine.liveHandles();
    expect(['graph', 'xla']).toContain(await choose({}, 1e9));
    expect(await choose({}, 1)).toBe('graph');
    expect(engine.liveHandles()).toBe(handles);
  });
});

describe('a finished run that is started again', () => {
  it('takes no step, writes nothing, and returns its metrics', async () => {
    const first = await runs.run('finished', BLT, recipeWith(short));
    const lines = await readFile(join(runs.path('finished'), 'metrics.jsonl'), 'utf8');
    const checkpoint = join(checkpointOf(runs.path('finished'), 2), 'model.safetensors');
    const written = (await stat(checkpoint)).mtimeMs;
    const again = await runs.run('finished', BLT, recipeWith(short, 'auto'), 0);
    expect(await readFile(join(runs.path('finished'), 'metrics.jsonl'), 'utf8')).toBe(lines);
    expect((await stat(checkpoint)).mtimeMs).toBe(written);
    expect(await checkpointSteps(runs.path('finished'))).toEqual([1, 2]);
    expect(again.validation_bits_per_byte).toBe(first.validation_bits_per_byte);
    expect(seen.modeOptions).toEqual([]);
  });
});

describe('the keys precision, gradient_checkpointing and optimizer_state', () => {
  it('are passed to the step', async () => {
    const change = { precision: 'bfloat16', gradient_checkpointing: true, optimizer_state: '8-bit' };
    await runs.run('keys', BLT, recipeWith({ ...short, ...change }, 'eager'));
    const [options] = steps();
    expect(options).toMatchObject({ precision: 'bfloat16', gradientCheckpointing: true });
    const storages = [...options!.parameters, options!.table!].map(({ value, first, second }) =>
      [value.storage, first.storage, second!.storage].join(),
    );
    expect(new Set(storages)).toEqual(new Set(['float32,int8-p2,int8-p4']));
  });

  it('apply to Muon’s single moment too', async () => {
    const change = { optimizer: 'muon', muon_learning_rate: 6e-3, optimizer_state: '8-bit' };
    await runs.run('muon', BLT, recipeWith({ ...short, ...change, learning_rate_scale: { global: 0.5 } }, 'graph'));
    const [options] = steps();
    const byMuon = options!.parameters.filter(({ group }) => group.optimizer === 'muon');
    expect(byMuon.length).toBeGreaterThan(20);
    for (const { name, first, second, group } of byMuon) {
      expect([first.storage, second]).toEqual(['int8-p2', null]);
      // Twice AdamW's 3e-3, and half of that in the latent global transformer.
      expect(group.learningRateScale, name).toBe(name.includes('global_transformer.layers') ? 1 : 2);
    }
    const saved = await openSafetensorsFile(join(checkpointOf(runs.path('muon'), 2), 'optimizer.safetensors'));
    const names = [...saved.tensors.keys()];
    await saved.close();
    for (const { name } of byMuon) expect(names.filter((key) => key.startsWith(`${name}.`))).toEqual([`${name}.first`]);
    expect(options!.table!.second!.storage).toBe('int8-p4');
  });

  it('have no effect if they are omitted', async () => {
    await runs.run('none', BLT, recipeWith(short, 'eager'));
    const [options] = steps();
    expect(options).toMatchObject({ precision: 'float32', gradientCheckpointing: false });
    const { objective, parameters, table } = options!;
    expect(objective.lora).toBeNull();
    expect(
      [...parameters, table!].every(
        ({ first, second }) => first.storage === 'float32' && second!.storage === 'float32',
      ),
    ).toBe(true);
  });

  it.each(['eager', 'graph'] as const)('do not change a bit of the patcher’s entropies (%s)', async (mode) => {
    const entropiesOf = async (precision: string) => {
      seen.entropies.length = 0;
      await runs.run(`${precision} ${mode}`, BLT, recipeWith({ ...short, precision }, mode));
      return new Map(seen.entropies.slice(0, 2).map((values, i) => [`${i}`, values]));
    };
    const [wide, narrow] = [await entropiesOf('float32'), await entropiesOf('bfloat16')];
    expect(wide.size).toBe(2);
    expect(differing(narrow, wide)).toEqual([]);
    const line = async (precision: string) => (await runs.curve(`${precision} ${mode}`))[1]!.train_bits_per_byte!;
    const change = Math.abs((await line('bfloat16')) / (await line('float32')) - 1);
    expect(change, 'the step itself runs in bfloat16').toBeGreaterThan(1e-6);
    expect(change).toBeLessThan(1e-2);
  });
});

describe('the key ngram_dropout', () => {
  const dropping = recipeWith({ ngram_dropout: 0.5 });

  it('changes what is trained on, and not what the model is evaluated on', async () => {
    await runs.run('dropping', BLT, dropping);
    await runs.run('keeping', BLT, recipeWith({}));
    const [some, all] = [await runs.curve('dropping'), await runs.curve('keeping')];
    expect(some[0]!.validation_bits_per_byte).toBe(all[0]!.validation_bits_per_byte);
    expect(some[1]!.train_bits_per_byte).not.toBe(all[1]!.train_bits_per_byte);
  });

  it('drops the same n-grams when a run is resumed', async () => {
    await expect(runs.run('stopped', BLT, dropping, 3)).rejects.toThrow('stop');
    await runs.run('stopped', BLT, dropping);
    const weights = (name: string) => bytesOf(checkpointOf(runs.path(name), 6));
    expect(differing(await weights('stopped'), await weights('dropping'))).toEqual([]);
  });
});
