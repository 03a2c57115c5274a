import { mkdtempSync, rmSync } from 'node:fs';
import { cp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bltTensors } from '../../src/blt/index.js';
import type { ByteStore } from '../../src/data/index.js';
import { type Engine, startEngine } from '../../src/engine/index.js';
import { checkTensors } from '../../src/export/check-tensors.js';
import { finetune } from '../../src/finetune/index.js';
import { openCheckpoint, openSafetensorsFile } from '../../src/safetensors/index.js';
import { type Distillation, openDistillation, openText } from '../support/distillation.js';
import { checkpointOf, differing, valuesOf } from './support/runs.js';

const folder = mkdtempSync(join(tmpdir(), 'byteify-distill-'));
let engine: Engine;
let store: ByteStore;
let tiny: Distillation;
beforeAll(async () => {
  engine = await startEngine({ threads: 2 });
  store = await openText(folder);
  tiny = await openDistillation(folder, store, { crossAttnK: 1, hiddenSize: 160 });
});
afterAll(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const STEPS = { 'align-encoder': 3, 'distill-decoder': 4, join: 3, 'end-to-end': 3 };
/** Muon in two stages, so that both optimizers are stopped, resumed and followed by the other. */
const OPTIMIZERS: Readonly<Record<string, string>> = { 'distill-decoder': 'muon', 'end-to-end': 'muon' };
const training = { batch_bytes: 512, sequence_length: 128, micro_batch_size: 2, warmup_steps: 1, validate_every: 2 };
const stages = [
  { kind: 'closed-form', text_bytes: 16_000, solve_bytes: 8_000, sequence_length: 256, micro_batch_size: 8 },
  ...Object.entries(STEPS).map(([kind, steps]) => ({ kind, steps, ...training, optimizer: OPTIMIZERS[kind] })),
];
/** The last checkpoint of each stage of a run. */
const checkpoints = (name: string) =>
  [0, ...Object.values(STEPS)].map((steps, stage) =>
    checkpointOf(stage === stages.length - 1 ? tiny.path(name) : join(tiny.path(name), `stage-${stage}`), steps),
  );

/** The metrics of a stage without time-dependent values. */
async function logged(name: string, stage: number): Promise<Record<string, number>[]> {
  const of = stage === stages.length - 1 ? tiny.path(name) : join(tiny.path(name), `stage-${stage}`);
  const lines = (await readFile(join(of, 'metrics.jsonl'), 'utf8')).trim().split('\n');
  return lines.map((line) => {
    const { time: _time, bytes_per_second: _speed, data_wait_fraction: _wait, ...rest } = JSON.parse(line);
    return rest;
  });
}

it('finetune resumes a stopped distillation with the results of an uninterrupted one', async () => {
  const before = engine.liveHandles();
  const whole = await tiny.run('whole', tiny.recipe(stages));
  expect(engine.liveHandles(), 'handles leaked').toBe(before);
  await expect(tiny.run('stopped', tiny.recipe(stages), { stage: 2, step: 2 })).rejects.toThrow('stop');
  const stopped = await tiny.run('stopped', tiny.recipe(stages));
  const { data_wait_fraction: _a, ...known } = whole;
  expect(stopped).toMatchObject(known);
  const [one, other] = [checkpoints('whole'), checkpoints('stopped')];
  for (const stage of stages.keys()) {
    expect(differing(await valuesOf(one[stage]!), await valuesOf(other[stage]!)), `stage ${stage}`).toEqual([]);
    expect(await logged('stopped', stage), `stage ${stage}`).toEqual(await logged('whole', stage));
  }
});

it('finetune adds the floating-point operations of all steps and stages', async () => {
  const flops = (await Promise.all([...stages.keys()].map((stage) => logged('whole', stage)))).flat();
  const counts = flops.map(({ flops }) => flops!);
  expect(counts.every((count) => Number.isFinite(count) && count > 0)).toBe(true);
  // Evaluations on held-out text are not counted.
  expect(counts).toEqual(counts.toSorted((a, b) => a - b));
  const steps = Object.values(STEPS).reduce((sum, count) => sum + count, 1);
  expect(new Set(counts).size).toBe(steps);
});

it('finetune leaves the source’s layers unchanged until the end-to-end stage', async () => {
  const layers = async (path: string) =>
    new Map([...(await valuesOf(path))].filter(([name]) => name.startsWith('model.global_transformer.layers')));
  const init = await layers(tiny.from[1]!);
  expect(init.size).toBeGreaterThan(0);
  const made = checkpoints('whole');
  for (const [stage, path] of made.entries()) {
    const now = await layers(path);
    if (stage < made.length - 1) expect(differing(now, init), stages[stage]!.kind).toEqual([]);
    else expect(differing(now, init).length).toBeGreaterThan(0);
  }
});

it('a checkpoint contains what its stage trained and refers to files of the conversion for the rest', async () => {
  const own: string[][] = [];
  for (const path of checkpoints('whole')) {
    const file = await openSafetensorsFile(join(path, 'trained.safetensors'));
    own.push([...file.tensors.keys()]);
    await file.close();
    const whole = await openCheckpoint(path);
    // An export reads every tensor of the model, and nothing else.
    expect(checkTensors(bltTensors(tiny.config), whole.tensors, path)).toHaveLength(whole.tensors.size);
    await whole.close();
  }
  const ofLayers = (names: readonly string[]) =>
    names.filter((name) => name.startsWith('model.global_transformer.layers'));
  const ofPatcher = (names: readonly string[]) => names.filter((name) => name.startsWith('model.patcher'));
  for (const [stage, names] of own.entries()) {
    expect(ofPatcher(names), `stage ${stage}`).toEqual([]);
    expect(ofLayers(names).length > 0, `stage ${stage}`).toBe(stage === own.length - 1);
  }
  // The closed form fits the decoder; align-encoder does not train it.
  const decoder = (names: readonly string[]) => names.some((name) => name.startsWith('model.local_decoder'));
  expect(own.slice(0, 3).map(decoder)).toEqual([true, false, true]);
});

it('a checkpoint that refers to a removed stage says so, and one that does not can still be read', async () => {
  const copy = tiny.path('gone');
  await cp(tiny.path('whole'), copy, { recursive: true });
  rmSync(join(copy, 'stage-0'), { recursive: true });
  const [first, second] = [1, 2].map((stage) =>
    checkpointOf(join(copy, `stage-${stage}`), Object.values(STEPS)[stage - 1]!),
  );
  await expect(openCheckpoint(first!)).rejects.toThrow(`${first} reads tensors from ${join(copy, 'stage-0')}`);
  // This stage trained everything that the closed form fitted, so it does not refer to it.
  await (await openCheckpoint(second!)).close();
});

it.each([
  ['closed-form', stages],
  ['end-to-end', [{ kind: 'end-to-end', steps: 1, losses: { prefix_kl: 0.1 } }]],
  ['join', [{ kind: 'join', steps: 1, losses: { prefix_kl: 0.1 } }]],
])('finetune refuses a stage of kind %s that learns from a source, without one', async (kind, listed) => {
  const asked = finetune({
    from: tiny.from,
    source: null,
    run: tiny.path('none'),
    recipe: tiny.recipe(listed),
    store,
    heldOut: [],
    sourceBitsPerByte: null,
    settings: 'settings',
    signal: new AbortController().signal,
  });
  await expect(asked).rejects.toMatchObject({
    message: `A stage of kind ${kind} learns from the source, and this folder has none.`,
    exitCode: 2,
  });
});
