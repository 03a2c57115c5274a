import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bltTensors } from '../../../src/blt/index.js';
import { type ByteStore, buildStore, openStore, textDomain } from '../../../src/data/index.js';
import { startEngine } from '../../../src/engine/index.js';
import { fromFloat32, writeSafetensorsFile } from '../../../src/safetensors/index.js';
import { type Distillation, openDistillation } from '../../support/distillation.js';
import { checkpointOf, differing, valuesOf } from '../support/runs.js';

const folder = mkdtempSync(join(tmpdir(), 'byteify-stage-'));
let store: ByteStore;
let tiny: Distillation;
let start: Map<string, Float32Array>;
beforeAll(async () => {
  await startEngine({ threads: 2 });
  // So little text that every step reads nearly all of it.
  await mkdir(join(folder, 'text'));
  for (let i = 0; i < 8; i++)
    await writeFile(
      join(folder, 'text', `${i}.txt`),
      `The file number ${i} of the model is read, and its size is ${i * 97}.\n`,
    );
  const split = { validationFraction: 0.3, seed: 1, textKey: 'text' };
  await buildStore({ domains: [textDomain([join(folder, 'text')], 256)], out: join(folder, 'data'), ...split });
  store = await openStore(join(folder, 'data'));
  tiny = await openDistillation(folder, store, { crossAttnK: 1, hiddenSize: 160 });
  start = new Map((await Promise.all([...tiny.from].reverse().map(valuesOf))).flatMap((values) => [...values]));
});
afterAll(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const STEPS = 10;
const stage = (kind: string, change: object = {}) => ({
  ...{ kind, steps: STEPS, batch_bytes: 512, sequence_length: 128, micro_batch_size: 2 },
  ...{ learning_rate: 2e-3, warmup_steps: 0, schedule: 'constant', validate_every: STEPS, checkpoint_every: STEPS },
  ...change,
});

type Line = Readonly<Record<string, number>>;

/** The metrics of each step. */
async function stepsOf(name: string): Promise<Line[]> {
  const text = await readFile(join(tiny.path(name), 'metrics.jsonl'), 'utf8');
  const lines = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
  return lines.filter((line) => line.learning_rate !== undefined);
}

const checkpoint = (name: string) => valuesOf(checkpointOf(tiny.path(name), STEPS));

/** The parts of the model of which a tensor changed. */
async function changedParts(name: string): Promise<string[]> {
  const partOf = new Map(bltTensors(tiny.config).map((spec) => [spec.name, spec.part]));
  const now = await checkpoint(name);
  const before = new Map([...start].filter(([tensor]) => partOf.has(tensor)));
  return [...new Set(differing(now, before).map((tensor) => partOf.get(tensor)!))].sort();
}

const SOURCE_LOSSES = { cross_entropy: 1, prefix_kl: 1, chunk: 0.5, embedding: 1 };

describe.each([
  { kind: 'align-encoder', change: {}, parts: ['encoder', 'hash'], losses: { embedding: 1 } },
  { kind: 'align-encoder', change: { frozen: ['hash'] }, parts: ['encoder'], losses: { embedding: 1 } },
  { kind: 'distill-decoder', change: {}, parts: ['decoder', 'encoder', 'hash', 'head'], losses: SOURCE_LOSSES },
  {
    kind: 'distill-decoder',
    change: { frozen: ['encoder', 'hash'] },
    parts: ['decoder', 'head'],
    losses: { cross_entropy: 1, prefix_kl: 1, chunk: 0.5 },
  },
  {
    kind: 'distill-decoder',
    change: { losses: { prefix_kl: 0, chunk: 0, embedding: 3 } },
    parts: ['decoder', 'encoder', 'hash', 'head'],
    losses: { cross_entropy: 1, embedding: 3 },
  },
  { kind: 'join', change: {}, parts: ['decoder', 'encoder', 'hash', 'head'], losses: { cross_entropy: 1 } },
  {
    kind: 'join',
    change: { frozen: ['head', 'hash'], losses: { prefix_kl: 0.5 } },
    parts: ['decoder', 'encoder'],
    losses: { cross_entropy: 1, prefix_kl: 0.5 },
  },
  {
    kind: 'end-to-end',
    change: {},
    parts: ['decoder', 'encoder', 'global', 'hash', 'head'],
    losses: { cross_entropy: 1 },
  },
  {
    kind: 'end-to-end',
    change: { losses: { prefix_kl: 0.5 } },
    parts: ['decoder', 'encoder', 'global', 'hash', 'head'],
    losses: { cross_entropy: 1, prefix_kl: 0.5 },
  },
])('a stage of kind $kind with $change', ({ kind, change, parts, losses }) => {
  const name = `${kind} ${JSON.stringify(change)}`.replaceAll(/\W/g, '-');
  beforeAll(async () => {
    await tiny.run(name, tiny.recipe([stage(kind, change)]));
  });

  it('trains exactly the expected parts', async () => {
    expect(await changedParts(name)).toEqual(parts);
  });

  it('logs exactly the expected losses and lowers their sum', async () => {
    const steps = await stepsOf(name);
    const named = { cross_entropy: 'train_bits_per_byte' } as Readonly<Record<string, string>>;
    const keys = Object.keys(losses).map((loss) => named[loss] ?? `train_${loss}`);
    expect(steps.length).toBe(STEPS);
    for (const step of steps) {
      const found = Object.keys(step).filter((key) => key.startsWith('train_'));
      expect(found.sort()).toEqual([...keys].sort());
    }
    const sum = (step: Line) =>
      Object.entries(losses).reduce(
        (total, [loss, weight]) =>
          total + weight * step[named[loss] ?? `train_${loss}`]! * (loss in named ? Math.LN2 : 1),
        0,
      );
    expect(sum(steps.at(-1)!)).toBeLessThan(0.5 * sum(steps[0]!));
  });
});

describe('tensors on which no output depends', () => {
  const unused = () => bltTensors(tiny.config).flatMap((spec) => (spec.unused ? [spec.name] : []));
  const recipe = () => tiny.recipe([stage('join', { losses: { prefix_kl: 0.5 }, checkpoint_every: 4 })]);
  beforeAll(() => tiny.run('unaware', recipe()), 60_000);

  it('keep their values, and have no moments, in a stage that trains their part', async () => {
    const names = unused();
    expect(names).toContain('model.local_decoder.cross_attn_layers.0.k_proj.weight');
    const trained = await checkpoint('unaware');
    const kept = new Map(names.map((name) => [name, start.get(name)!]));
    expect(differing(new Map(names.map((name) => [name, trained.get(name)!])), kept)).toEqual([]);
    const optimizer = await valuesOf(join(checkpointOf(tiny.path('unaware'), STEPS), 'optimizer.safetensors'));
    expect([...optimizer.keys()].filter((key) => names.some((name) => key.startsWith(name)))).toEqual([]);
  });

  it('may have moments in a checkpoint from before they were left alone: these are ignored', async () => {
    await expect(tiny.run('older', recipe(), { stage: 0, step: 4 })).rejects.toThrow('stop');
    const path = join(checkpointOf(tiny.path('older'), 4), 'optimizer.safetensors');
    const moments = await valuesOf(path);
    for (const name of unused())
      for (const which of ['first', 'second'])
        moments.set(`${name}.${which}`, new Float32Array(start.get(name)!.length).fill(0.5));
    const shapes = new Map(bltTensors(tiny.config).map(({ name, shape }) => [name, shape]));
    const infos = [...moments].map(([name, values]) => ({
      ...{ name, dtype: 'F32' as const },
      shape: shapes.get(name.replace(/\.(first|second)$/, '')) ?? [values.length],
    }));
    await writeSafetensorsFile(path, infos, async function* ({ name }) {
      yield fromFloat32(moments.get(name)!, 'F32');
    });
    await tiny.run('older', recipe());
    expect(differing(await checkpoint('older'), await checkpoint('unaware'))).toEqual([]);
  });
});

describe('source states of a text that is read repeatedly', () => {
  const recipe = (change: object = {}) => tiny.recipe([stage('distill-decoder', change)]);
  const losses = (lines: readonly Line[]) =>
    lines.map((line) => Object.fromEntries(Object.entries(line).filter(([key]) => key.startsWith('train_'))));
  /** The floating-point operations of each step. */
  const costs = (lines: readonly Line[]) => lines.map(({ flops }, i) => flops! - (lines[i - 1]?.flops ?? 0));
  beforeAll(() => tiny.run('cached', recipe()), 60_000);

  it('are computed and counted once, and their cache is removed at the end', async () => {
    const found = costs(await stepsOf('cached'));
    expect(found.at(-1)!).toBeLessThan(0.97 * found[0]!);
    expect(existsSync(join(tiny.path('cached'), 'source-states.bin'))).toBe(false);
  });

  it('are recomputed and counted again by a resumed run, whose results are identical', async () => {
    await expect(tiny.run('stopped', recipe(), { stage: 0, step: 6 })).rejects.toThrow('stop');
    await tiny.run('stopped', recipe());
    const [whole, stopped] = [await stepsOf('cached'), await stepsOf('stopped')];
    expect(losses(stopped)).toEqual(losses(whole));
    expect(differing(await checkpoint('stopped'), await checkpoint('cached'))).toEqual([]);
    expect(costs(stopped).slice(0, 6)).toEqual(costs(whole).slice(0, 6));
    expect(costs(stopped)[6]!).toBeGreaterThan(costs(whole)[6]!);
  });

  it('are computed in every step if the cache may use no disk space', async () => {
    await tiny.run('computed', recipe({ source_states_cache_bytes: 1 }));
    const found = await stepsOf('computed');
    expect(losses(found)).toEqual(losses(await stepsOf('cached')));
    expect(Math.min(...costs(found))).toBeGreaterThan(0.97 * costs(found)[0]!);
  });
});
