import { mkdtempSync, rmSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { bltTensors } from '../../../src/blt/index.js';
import { type ByteStore, buildStore, openStore, textDomain } from '../../../src/data/index.js';
import { type Engine, startEngine } from '../../../src/engine/index.js';
import type { StepBatch } from '../../../src/finetune/batches/step-batch.js';
import type { SourceStatesOptions } from '../../../src/finetune/teacher/source-states.js';
import { openTeacher } from '../../../src/finetune/teacher/teacher.js';
import { loadVariable } from '../../../src/model/index.js';
import { openCheckpoint, overlay } from '../../../src/safetensors/index.js';
import { type Distillation, openDistillation } from '../../support/distillation.js';
import { relativeDifference } from '../../support/modes.js';
import { checkpointOf, differing, valuesOf } from '../support/runs.js';

/** Per stage that computes states: whether it loaded the source's layers, how they are stored, and the batches it gave states to. */
const seen = vi.hoisted(() => [] as { loaded: boolean; storage: string; batches: unknown[] }[]);
vi.mock('../../../src/finetune/teacher/source-states.js', async (original) => {
  const real = await original<typeof import('../../../src/finetune/teacher/source-states.js')>();
  const createSourceStates: typeof real.createSourceStates = (options: SourceStatesOptions) => {
    const layer = options.frozen.get('source.layers.0.mlp.up_proj.weight');
    const batches: unknown[] = [];
    seen.push({ loaded: layer !== undefined, storage: layer?.storage ?? '', batches });
    const made = real.createSourceStates(options);
    return {
      ...made,
      async add(batch) {
        const added = await made.add(batch);
        batches.push(added);
        return added;
      },
    };
  };
  return { ...real, createSourceStates };
});

const folder = mkdtempSync(join(tmpdir(), 'byteify-layers-'));
let engine: Engine;
let store: ByteStore;
let tiny: Distillation;
beforeAll(async () => {
  engine = await startEngine({ threads: 2 });
  await mkdir(join(folder, 'text'));
  for (let i = 0; i < 40; i++)
    await writeFile(
      join(folder, 'text', `${i}.txt`),
      `File ${i} of the model is read; its size is ${i * 97}.\n`.repeat(4),
    );
  const split = { validationFraction: 0.2, seed: 1, textKey: 'text' };
  await buildStore({ domains: [textDomain([join(folder, 'text')], 256)], out: join(folder, 'data'), ...split });
  store = await openStore(join(folder, 'data'));
  tiny = await openDistillation(folder, store, { crossAttnK: 1, hiddenSize: 160 });
});
afterAll(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  seen.length = 0;
});

const STEPS = 4;
const stage = (kind: string, change: object = {}) => ({
  ...{ kind, steps: STEPS, batch_bytes: 512, sequence_length: 128, micro_batch_size: 2 },
  ...{ learning_rate: 5e-3, learning_rate_scale: { global: 1 }, warmup_steps: 0, schedule: 'constant' },
  ...{ validate_every: STEPS, checkpoint_every: STEPS, ...change },
});
const LEARNS = { losses: { prefix_kl: 1 } };
const LORA = { lora: { rank: 2, alpha: 4 } };

/** The states of a batch, computed with the layers in these folders. */
async function statesWith(folders: readonly string[], batch: StepBatch): Promise<Float32Array[]> {
  const { createSourceStates } = await vi.importActual<typeof import('../../../src/finetune/teacher/source-states.js')>(
    '../../../src/finetune/teacher/source-states.js',
  );
  const source = await openTeacher(tiny.source, tiny.from, tiny.config);
  const { tensors } = await source.trainingSource({ tensors: ['embedding'], layers: false });
  const reader = overlay(await Promise.all(folders.map(openCheckpoint)));
  const frozen = new Map(tensors);
  for (const { name, part } of bltTensors(tiny.config))
    if (part === 'global') frozen.set(name, await loadVariable(reader, name));
  const states = createSourceStates({ config: tiny.config, frozen, mode: 'graph', precision: 'float32', cache: null });
  const added = await states.add(batch);
  await states.close();
  await reader.close();
  await source.close();
  for (const variable of frozen.values()) variable.dispose();
  return added.batches.map(({ sourceStates }) => sourceStates!);
}

const difference = (a: readonly Float32Array[], b: readonly Float32Array[]) =>
  Math.max(...a.map((values, i) => relativeDifference(values, b[i]!)));

const last = (name: string) => checkpointOf(tiny.path(name), STEPS);

async function layersOf(path: string): Promise<Map<string, Float32Array>> {
  const layers = [...(await valuesOf(path))].filter(([name]) => name.startsWith('model.global_transformer.layers'));
  return new Map(layers);
}

describe.each([
  ['end-to-end', true, [stage('end-to-end', LEARNS)]],
  ['end-to-end with LoRA', false, [stage('end-to-end', { ...LEARNS, ...LORA })]],
  ['end-to-end with the layers frozen', false, [stage('end-to-end', { ...LEARNS, frozen: ['global'] })]],
  ['join after end-to-end', true, [stage('end-to-end'), stage('join', LEARNS)]],
  ['distill-decoder after end-to-end with LoRA', true, [stage('end-to-end', LORA), stage('distill-decoder')]],
] as const)('%s', (what, loaded, stages) => {
  const name = what.replaceAll(' ', '-');

  it('gives every step the states of the untouched source, and frees what it loaded', async () => {
    const before = engine.liveHandles();
    await tiny.run(name, tiny.recipe(stages));
    expect(engine.liveHandles(), 'handles leaked').toBe(before);
    expect(seen.map((one) => [one.loaded, one.storage])).toEqual([[loaded, loaded ? 'bfloat16' : '']]);
    const init = await layersOf(tiny.from[1]!);
    const moved = differing(await layersOf(last(name)), init).length > 0;
    expect(moved).toBe(!what.includes('frozen'));
    const batches = seen[0]!.batches as StepBatch[];
    expect(batches.length).toBeGreaterThanOrEqual(STEPS);
    const batch = batches[STEPS - 1]!;
    const found = batch.batches.map(({ sourceStates }) => sourceStates!);
    // The states of a text that is read repeatedly are rounded to bfloat16, in which the difference is at most 2^-8.
    expect(difference(found, await statesWith(tiny.from, batch))).toBeLessThan(2 ** -8);
    if (moved) expect(difference(found, await statesWith([last(name), ...tiny.from], batch))).toBeGreaterThan(2 ** -6);
  });
});

it('align-encoder after end-to-end measures encoder and decoder with the untouched source', async () => {
  const one = stage('align-encoder', { learning_rate: 1e-9 });
  const partsOf = async (name: string, folderOfStage: string) =>
    JSON.parse(await readFile(join(tiny.path(name), folderOfStage, 'parts.json'), 'utf8'));
  await tiny.run('aligned', tiny.recipe([one]));
  await tiny.run(
    'aligned-later',
    tiny.recipe([stage('end-to-end', { frozen: ['encoder', 'hash', 'decoder', 'head'] }), one]),
  );
  const [alone, later] = [await partsOf('aligned', ''), await partsOf('aligned-later', '')];
  // Five decimals, but no more than a float32 has.
  for (const [metric, value] of Object.entries<number>(alone))
    expect(Math.abs(later[metric] - value), metric).toBeLessThan(Math.max(5e-6, Math.abs(value) * 2 ** -23));
});

describe('an end-to-end stage that learns from the source', () => {
  const losses = async (name: string): Promise<number[][]> => {
    const lines = (await readFile(join(tiny.path(name), 'metrics.jsonl'), 'utf8')).trim().split('\n');
    return lines
      .map((line) => JSON.parse(line) as Record<string, number>)
      .flatMap(({ train_bits_per_byte: bits, train_prefix_kl: kl }) => (kl === undefined ? [] : [[bits!, kl]]));
  };
  const ratios = (a: number[][], b: number[][]) => a.flat().map((value, i) => Math.abs(value / b.flat()[i]! - 1));
  const recipe = (change: object = {}) =>
    tiny.recipe([stage('end-to-end', { ...LEARNS, checkpoint_every: 1, ...change })]);
  beforeAll(() => tiny.run('whole', recipe()), 120_000);

  it('is resumed with the results of an uninterrupted run', async () => {
    await expect(tiny.run('stopped', recipe(), { stage: 0, step: 2 })).rejects.toThrow('stop');
    await tiny.run('stopped', recipe());
    expect(await losses('stopped')).toEqual(await losses('whole'));
    expect(differing(await valuesOf(last('stopped')), await valuesOf(last('whole')))).toEqual([]);
  });

  it('has the same losses with other micro-batches, and nearly the same in bfloat16', async () => {
    await tiny.run('one-batch', recipe({ micro_batch_size: 4 }));
    await tiny.run('bfloat16', recipe({ precision: 'bfloat16', gradient_checkpointing: true }));
    const whole = await losses('whole');
    expect(whole).toHaveLength(STEPS);
    expect(Math.max(...ratios(await losses('one-batch'), whole))).toBeLessThan(1e-3);
    expect(Math.max(...ratios(await losses('bfloat16'), whole))).toBeLessThan(0.05);
  });
});
