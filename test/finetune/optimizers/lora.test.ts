import { mkdtempSync, rmSync } from 'node:fs';
import { cp, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adaptersOf, bltTensors, type Part, readBltConfig } from '../../../src/blt/index.js';
import { type Engine, startEngine, type Variable } from '../../../src/engine/index.js';
import { bltBitsPerByte } from '../../../src/evaluate/index.js';
import { createBatchSource } from '../../../src/finetune/batches/batch-source.js';
import { createTrainStep } from '../../../src/finetune/loop/train-step.js';
import { openTrainingState, type TrainingState } from '../../../src/finetune/loop/training-state.js';
import { endToEndObjective } from '../../../src/finetune/stages/end-to-end.js';
import { openBlt } from '../../../src/model/index.js';
import type { StageOf } from '../../../src/recipe/index.js';
import { fromFloat32, openCheckpoint, toFloat32, writeCheckpoint } from '../../../src/safetensors/index.js';
import { goldenPath, plainCases } from '../../support/golden.js';
import { packedRow } from '../../support/packed-row.js';
import { NEXT_BYTE_BATCHES, patchCapacity } from '../../support/training.js';
import { bytesOf, checkpointOf, differing, openRuns, type Runs, recipeWith, valuesOf } from '../support/runs.js';

const folder = mkdtempSync(join(tmpdir(), 'byteify-lora-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const BLT = goldenPath('plain/blt');
const ALL = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'] as const;
const LORA = { rank: 4, alpha: 8, targets: ['q_proj', 'v_proj', 'down_proj'] };

let engine: Engine;
let runs: Runs;
let base: Map<string, Float32Array>;
beforeAll(async () => {
  engine = await startEngine({ threads: 2 });
  runs = await openRuns(folder);
  base = await valuesOf(BLT);
});
afterAll(() => runs.close());

const optimizerOf = (name: string, step: number) =>
  valuesOf(join(checkpointOf(runs.path(name), step), 'optimizer.safetensors'));

/** The matrix product of a [m, k] and b [k, n] in double precision. */
function product(a: Float32Array, b: Float32Array, k: number): Float64Array {
  const [m, n] = [a.length / k, b.length / k];
  const out = new Float64Array(m * n);
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) for (let l = 0; l < k; l++) out[i * n + j]! += a[i * k + l]! * b[l * n + j]!;
  return out;
}

const largest = (values: ArrayLike<number>) =>
  Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/** The largest difference, relative to the largest value. */
function relative(found: ArrayLike<number>, wanted: ArrayLike<number>): number {
  if (found.length !== wanted.length) return Number.POSITIVE_INFINITY;
  return largest(Array.from(wanted, (value, i) => found[i]! - value)) / largest(wanted);
}

const stemOf = (name: string) => name.slice(0, -'.weight'.length);

describe('adaptersOf', () => {
  it.each(['plain/blt', 'projection-gqa'])(
    'gives adapters for the targeted matrices of the global transformer of %s only',
    async (path) => {
      const config = await readBltConfig(goldenPath(path));
      const specs = bltTensors(config);
      const found = adaptersOf(specs, { rank: 5, alpha: 1, targets: ALL });
      expect(found).toHaveLength(7 * config.global.layers);
      const shapes = new Map(specs.map(({ name, shape }) => [name, shape]));
      for (const { base: of, a, b } of found) {
        expect(of.name).toMatch(/^model\.global_transformer\.layers\.\d+\.(self_attn|mlp)\.\w+_proj\.weight$/);
        const [out, width] = shapes.get(of.name)!;
        expect([a.name, a.shape]).toEqual([`${stemOf(of.name)}.lora_A.weight`, [5, width]]);
        expect([b.name, b.shape]).toEqual([`${stemOf(of.name)}.lora_B.weight`, [out, 5]]);
      }
      for (const target of ALL)
        expect(adaptersOf(specs, { rank: 1, alpha: 1, targets: [target] }).map(({ base: { name } }) => name)).toEqual(
          [...shapes.keys()].filter(
            (name) => name.includes('global_transformer.layers') && name.endsWith(`.${target}.weight`),
          ),
        );
    },
  );
});

describe('a training state with adapters', () => {
  const values = (variables: Iterable<readonly [string, Variable]>) =>
    new Map(
      [...variables].map(([name, variable]) => {
        const tensor = variable.read();
        const read = tensor.dataSync() as Float32Array;
        tensor.dispose();
        return [name, read] as const;
      }),
    );
  const parametersOf = (trainingState: TrainingState) =>
    values(trainingState.parameters.map(({ name, value }) => [name, value] as const));

  async function stepped(seed: number, steps: number, check: (trainingState: TrainingState) => void): Promise<void> {
    const config = await readBltConfig(BLT);
    const objective = endToEndObjective(config, { frozen: ['hash', 'head'], lora: LORA });
    const start = await openCheckpoint(BLT);
    const shared = {
      objective,
      specs: bltTensors(config),
      learningRateScale: {},
      muonScale: null,
      moments: 'float32' as const,
    };
    const trainingState = await openTrainingState({ ...shared, seed, start, from: null });
    await start.close();
    const row = packedRow(plainCases.map(({ input_ids }) => input_ids));
    const source = createBatchSource({
      rows: { kind: 'given', rows: [row] },
      ...NEXT_BYTE_BATCHES,
      config,
      rowsPerStep: 1,
      microBatchRows: 1,
      trainsTable: false,
      runPatcher: async () => ({
        entropies: Float32Array.from(row.ids, (_, i) => (i % 3 === 0 ? 9 : 0)),
        endProbabilities: null,
      }),
      capacity: patchCapacity(0),
    });
    const { dense: parameters, table, frozen } = trainingState;
    const adamw = { betas: [0.9, 0.95], epsilon: 1e-8, weightDecay: 0.1 } as const;
    const how = { mode: 'eager', precision: 'float32', gradientCheckpointing: false } as const;
    const stepper = createTrainStep({ objective, parameters, table, frozen, adamw, clipNorm: 1, ...how });
    for (let step = 1; step <= steps; step++) await stepper.run({ ...(await source.next()), step, learningRate: 1e-2 });
    check(trainingState);
    await source.close();
    stepper.dispose();
    trainingState.dispose();
  }

  it('updates the adapters and the trained parts, and nothing else', async () => {
    const handles = engine.liveHandles();
    let [before, frozen] = [new Map<string, Float32Array>(), new Map<string, Float32Array>()];
    await stepped(1, 0, (trainingState) => {
      before = parametersOf(trainingState);
      frozen = values(trainingState.frozen);
      expect(trainingState.table).toBeNull();
    });
    const adapters = [...before.keys()].filter((name) => name.includes('.lora_'));
    expect(adapters).toHaveLength(2 * LORA.targets.length * (await readBltConfig(BLT)).global.layers);
    // Frozen tensors have the checkpoint's values, and every tensor is either frozen or trained.
    expect([...frozen].filter(([name, values]) => relative(values, base.get(name)!) > 0)).toEqual([]);
    const own = [...before.keys()].filter((name) => !name.includes('.lora_'));
    expect([...frozen.keys(), ...own].sort()).toEqual([...base.keys()].sort());
    expect(own.filter((name) => !/^model\.local_(encoder|decoder)\./.test(name))).toEqual([]);
    await stepped(1, 3, (trainingState) => {
      expect(differing(values(trainingState.frozen), frozen)).toEqual([]);
      expect(differing(parametersOf(trainingState), before).sort()).toEqual([...before.keys()].sort());
    });
    expect(engine.liveHandles()).toBe(handles);
  });

  it('starts with B = 0 and with A drawn by the seed from a normal distribution of variance 1 / rank', async () => {
    const fresh: Map<string, Float32Array>[] = [];
    for (const seed of [1, 1, 2]) await stepped(seed, 0, (trainingState) => fresh.push(parametersOf(trainingState)));
    const [one, same, other] = fresh as [
      Map<string, Float32Array>,
      Map<string, Float32Array>,
      Map<string, Float32Array>,
    ];
    expect(differing(one, same)).toEqual([]);
    const drawn = [...one.keys()].filter((name) => name.includes('lora_A'));
    expect(differing(one, other).sort()).toEqual([...drawn].sort());
    for (const [name, b] of one) if (name.includes('lora_B')) expect(largest(b), name).toBe(0);
    const all = drawn.flatMap((name) => [...one.get(name)!]);
    expect(new Set(all).size, 'adapters draw different values').toBeGreaterThan(0.99 * all.length);
    const mean = all.reduce((sum, value) => sum + value) / all.length;
    const variance = all.reduce((sum, value) => sum + value ** 2) / all.length;
    expect(Math.abs(mean)).toBeLessThan(4 * (0.5 / Math.sqrt(all.length)));
    expect(Math.abs(variance * LORA.rank - 1)).toBeLessThan(4 * Math.sqrt(2 / all.length));
  });

  it('returns the merged value of a tensor with an adapter, and null for others', async () => {
    await stepped(1, 2, (trainingState) => {
      const q = 'model.global_transformer.layers.1.self_attn.q_proj.weight';
      const parameters = parametersOf(trainingState);
      const tensor = trainingState.mergedValue(q)!;
      const added = product(
        parameters.get(`${stemOf(q)}.lora_B.weight`)!,
        parameters.get(`${stemOf(q)}.lora_A.weight`)!,
        LORA.rank,
      );
      expect(largest(added)).toBeGreaterThan(1e-3);
      expect(
        relative(
          tensor.dataSync(),
          Array.from(base.get(q)!, (value, i) => value + added[i]!),
        ),
      ).toBeLessThan(1e-6);
      tensor.dispose();
      for (const name of ['model.global_transformer.layers.1.self_attn.o_proj.weight', 'lm_head.weight'])
        expect(trainingState.mergedValue(name)).toBeNull();
    });
  });
});

describe('a run with adapters', () => {
  const recipe = (change: object = {}) => recipeWith({ lora: LORA, learning_rate_scale: { global: 0.5 }, ...change });
  let metrics: Readonly<Record<string, number>>;
  beforeAll(async () => {
    metrics = await runs.run('lora', BLT, recipe());
  });

  it('starts at exactly the loss of the model without adapters', async () => {
    await runs.run('plain', BLT, recipeWith({ steps: 1, validate_every: 1, checkpoint_every: 1 }));
    const [with_, without] = [await runs.curve('lora'), await runs.curve('plain')];
    expect(with_[0]).toEqual(without[0]);
    expect(with_[1]!.train_bits_per_byte).toBe(without[1]!.train_bits_per_byte);
  });

  it('saves W + B A in float32 in place of W and the adapters with the moments, and lowers the loss', async () => {
    const [saved, optimizer] = [await valuesOf(checkpointOf(runs.path('lora'), 6)), await optimizerOf('lora', 6)];
    expect([...saved.keys()].sort()).toEqual([...base.keys()].sort());
    const adapted = adaptersOf(bltTensors(await readBltConfig(BLT)), LORA);
    for (const {
      base: { name },
      a,
      b,
    } of adapted) {
      const added = product(optimizer.get(`${b.name}.value`)!, optimizer.get(`${a.name}.value`)!, LORA.rank);
      expect(largest(added), name).toBeGreaterThan(1e-4);
      expect(
        relative(
          saved.get(name)!,
          Array.from(base.get(name)!, (value, i) => value + added[i]!),
        ),
        name,
      ).toBeLessThan(1e-6);
      for (const which of [a, b])
        for (const moment of ['first', 'second'])
          expect(optimizer.get(`${which.name}.${moment}`)).toHaveLength(which.shape[0]! * which.shape[1]!);
    }
    const changed = differing(saved, base);
    const untouched = (name: string) =>
      !adapted.some(({ base: of }) => of.name === name) && /global_transformer|patcher/.test(name);
    expect(changed.filter(untouched)).toEqual([]);
    expect([...base.keys()].filter((name) => !untouched(name)).sort()).toEqual(changed.sort());
    const evaluations = (await runs.curve('lora')).flatMap((line) => line.validation_bits_per_byte ?? []);
    expect(evaluations.at(-1)!).toBeLessThan(evaluations[0]! - 0.5);
  });

  it('saves a model that opens as a plain BLT and scores what training measured', async () => {
    const model = await openBlt(checkpointOf(runs.path('lora'), 6));
    const { bitsPerByte } = await bltBitsPerByte(model.params, model.config, runs.heldOut);
    model.dispose();
    // With merged weights, a product is rounded once instead of twice.
    expect(Math.abs(bitsPerByte - metrics.validation_bits_per_byte!)).toBeLessThan(1e-5);
  });

  it('that was stopped resumes with results identical to an uninterrupted run', async () => {
    const handles = engine.liveHandles();
    await expect(runs.run('stopped', BLT, recipe(), 3)).rejects.toThrow('stop');
    await runs.run('stopped', BLT, recipe());
    expect(engine.liveHandles()).toBe(handles);
    expect(await runs.curve('stopped')).toEqual(await runs.curve('lora'));
    const weights = (name: string) => bytesOf(checkpointOf(runs.path(name), 6));
    expect(differing(await weights('stopped'), await weights('lora'))).toEqual([]);
    expect(differing(await optimizerOf('stopped', 6), await optimizerOf('lora', 6))).toEqual([]);
  });

  it('passes what it learnt to the next stage', async () => {
    const two = recipe({ steps: 3, validate_every: 3, checkpoint_every: 3 });
    const adapted = two.stages[0] as StageOf<'end-to-end'>;
    await runs.run('two', BLT, { ...two, stages: [adapted, { ...adapted, steps: 1, lora: undefined }] });
    const [first, second] = [await runs.curve('two/stage-0'), await runs.curve('two')];
    expect(Math.abs(second[0]!.validation_bits_per_byte! - first.at(-1)!.validation_bits_per_byte!)).toBeLessThan(1e-5);
    expect(second[0]!.validation_bits_per_byte!).toBeLessThan(first[0]!.validation_bits_per_byte! - 0.3);
  });
});

describe('the first step of adapters', () => {
  const ONE = { steps: 1, warmup_steps: 0, schedule: 'constant', validate_every: 1, checkpoint_every: 1 };
  const lora = (rank: number, alpha: number) => ({
    ...ONE,
    lora: { ...LORA, rank, alpha },
    learning_rate_scale: { global: 0.5 },
  });
  const only = (values: Map<string, Float32Array>, end: string) => [...values].filter(([name]) => name.endsWith(end));

  it('changes B A in proportion to alpha / rank', async () => {
    const stepOf = async (rank: number, alpha: number) => {
      await runs.run(`step-${rank}-${alpha}`, BLT, recipeWith(lora(rank, alpha)));
      return await optimizerOf(`step-${rank}-${alpha}`, 1);
    };
    const [one, four, wide] = [await stepOf(4, 2), await stepOf(4, 8), await stepOf(8, 16)];
    for (const [name, b] of only(one, 'lora_B.weight.value')) {
      expect(
        relative(
          four.get(name)!,
          b.map((value) => 4 * value),
        ),
        name,
      ).toBeLessThan(1e-5);
      // Adam's first step is the learning rate itself wherever there is a gradient: 3e-3 x 0.5 x alpha / rank.
      expect(largest(b)).toBeCloseTo(3e-3 * 0.5 * 0.5, 6);
      expect(largest(wide.get(name)!)).toBeCloseTo(3e-3 * 0.5 * 2, 6);
      const a = name.replace('lora_B', 'lora_A');
      expect(
        differing(new Map([[a, one.get(a)!]]), new Map([[a, four.get(a)!]])),
        'A does not change while B is zero',
      ).toEqual([]);
      const change = (of: Map<string, Float32Array>) => product(of.get(name)!, of.get(a)!, 4);
      expect(
        relative(
          change(four),
          change(one).map((value) => 4 * value),
        ),
      ).toBeLessThan(1e-5);
    }
  });

  it('follows the gradient of the adapted matrix: G_B = G_W A^T', async () => {
    await runs.run('step-full', BLT, recipeWith(ONE));
    await runs.run('step-4-8', BLT, recipeWith(lora(4, 8)));
    const [full, adapted] = [await optimizerOf('step-full', 1), await optimizerOf('step-4-8', 1)];
    // A first moment is 0.1 of the clipped gradient.
    const clip = async (name: string) => Math.min(1, 1 / ((await runs.curve(name))[1]!.gradient_norm! + 1e-6));
    const ratio = (await clip('step-4-8')) / (await clip('step-full'));
    for (const [name, first] of only(adapted, 'lora_B.weight.first')) {
      const g = full.get(name.replace('.lora_B', ''))!;
      const a = adapted.get(name.replace('lora_B.weight.first', 'lora_A.weight.value'))!;
      const width = a.length / 4;
      const transposed = Float32Array.from({ length: a.length }, (_, i) => a[(i % 4) * width + Math.floor(i / 4)]!);
      expect(
        relative(
          first,
          product(g, transposed, width).map((value) => ratio * value),
        ),
        name,
      ).toBeLessThan(1e-4);
    }
  });
});

describe('a checkpoint in bfloat16', () => {
  let narrow = '';
  beforeAll(async () => {
    narrow = join(folder, 'narrow');
    await mkdir(narrow);
    await cp(join(BLT, 'config.json'), join(narrow, 'config.json'));
    const infos = bltTensors(await readBltConfig(BLT)).map(({ name, shape }) => ({
      name,
      dtype: 'BF16' as const,
      shape,
    }));
    await writeCheckpoint(narrow, infos, async function* ({ name }) {
      yield fromFloat32(base.get(name)!, 'BF16');
    });
  });

  it('stays in bfloat16 for frozen matrices, and is widened to float32 for norms, embeddings and trained tensors', async () => {
    const config = await readBltConfig(BLT);
    const specs = bltTensors(config);
    const start = await openCheckpoint(narrow);
    const objective = endToEndObjective(config, { frozen: ['decoder'], lora: LORA });
    const options = { objective, specs, learningRateScale: {}, muonScale: null, moments: 'float32' as const, seed: 1 };
    const trainingState = await openTrainingState({ ...options, start, from: null });
    for (const { name, part, role } of specs) {
      const frozen = ['patcher', 'global', 'decoder'].includes(part);
      const storage =
        trainingState.frozen.get(name)?.storage ??
        trainingState.parameters.find((parameter) => parameter.name === name)?.value.storage;
      expect(trainingState.frozen.has(name), name).toBe(frozen);
      expect(storage, name).toBe(frozen && role === 'linear' ? 'bfloat16' : 'float32');
    }
    trainingState.dispose();
    await start.close();
  });

  it.each<[string, { lora?: typeof LORA; frozen?: Part[]; [key: string]: unknown }]>([
    ['with adapters', { lora: LORA }],
    ['with adapters alone', { lora: LORA, frozen: ['encoder', 'decoder', 'hash', 'head'] }],
    [
      'with adapters, bfloat16 products, gradient checkpointing, 8-bit moments and micro-batches',
      {
        lora: LORA,
        precision: 'bfloat16',
        gradient_checkpointing: true,
        optimizer_state: '8-bit',
        micro_batch_size: 2,
      },
    ],
    ['with frozen parts', { frozen: ['global', 'hash', 'head'] }],
    ['by Muon', { optimizer: 'muon' }],
    [
      'by Muon with adapters, bfloat16 products, gradient checkpointing, 8-bit moments and micro-batches',
      {
        optimizer: 'muon',
        lora: LORA,
        precision: 'bfloat16',
        gradient_checkpointing: true,
        optimizer_state: '8-bit',
        micro_batch_size: 2,
      },
    ],
  ])('trained %s keeps the bytes of frozen tensors, and resumes with identical results', async (what, change) => {
    const recipe = recipeWith({ steps: 4, ...change });
    const metrics = await runs.run(`narrow ${what}`, narrow, recipe);
    const folderOf = (name: string) => checkpointOf(runs.path(name), 4);
    const [reader, original] = [await openCheckpoint(folderOf(`narrow ${what}`)), await bytesOf(narrow)];
    const specs = bltTensors(await readBltConfig(BLT));
    const adapted = change.lora === undefined ? [] : adaptersOf(specs, change.lora).map(({ base: { name } }) => name);
    const frozenParts: Part[] = [
      'patcher',
      ...(change.frozen ?? []),
      ...(change.lora === undefined ? [] : (['global'] as const)),
    ];
    for (const { name, part } of specs) {
      const frozen = frozenParts.includes(part) && !adapted.includes(name);
      expect(reader.tensors.get(name)!.dtype, name).toBe(frozen ? 'BF16' : 'F32');
      const bytes = await reader.read(name);
      if (frozen) expect(Buffer.compare(bytes, original.get(name)!), name).toBe(0);
      else expect(relative(toFloat32(bytes, 'F32'), toFloat32(original.get(name)!, 'BF16')), name).toBeGreaterThan(0);
    }
    await reader.close();
    const model = await openBlt(folderOf(`narrow ${what}`));
    const { bitsPerByte } = await bltBitsPerByte(model.params, model.config, runs.heldOut);
    model.dispose();
    expect(Math.abs(bitsPerByte - metrics.validation_bits_per_byte!)).toBeLessThan(1e-5);
    await expect(runs.run(`stopped ${what}`, narrow, recipe, 1)).rejects.toThrow('stop');
    await runs.run(`stopped ${what}`, narrow, recipe);
    expect(await runs.curve(`stopped ${what}`)).toEqual(await runs.curve(`narrow ${what}`));
    expect(differing(await bytesOf(folderOf(`stopped ${what}`)), await bytesOf(folderOf(`narrow ${what}`)))).toEqual(
      [],
    );
  });
});
