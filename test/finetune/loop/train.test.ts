import { mkdtempSync, rmSync } from 'node:fs';
import { cp, mkdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { resolveCheckpoint } from '../../../src/conversion/index.js';
import {
  type ByteStore,
  buildStore,
  type DomainTexts,
  evaluationTexts,
  openStore,
  textDomain,
} from '../../../src/data/index.js';
import { type Engine, startEngine } from '../../../src/engine/index.js';
import { checkExport, exportTransformers } from '../../../src/export/index.js';
import { checkpointName, finetune } from '../../../src/finetune/index.js';
import { openBlt } from '../../../src/model/index.js';
import { type Recipe, recipeSchema } from '../../../src/recipe/index.js';
import { cardFromManifest } from '../../../src/release/index.js';
import {
  openCheckpoint,
  openSafetensorsFile,
  type TensorInfo,
  tensorBytes,
  writeSafetensorsFile,
} from '../../../src/safetensors/index.js';
import { goldenPath } from '../../support/golden.js';

const folder = mkdtempSync(join(tmpdir(), 'byteify-train-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const BLT = goldenPath('plain/blt');
const recipe: Recipe = recipeSchema.parse({
  name: 'test',
  seed: 3,
  stages: [
    {
      kind: 'end-to-end',
      steps: 6,
      batch_bytes: 256,
      sequence_length: 64,
      learning_rate: 3e-3,
      warmup_steps: 1,
      validate_every: 3,
      checkpoint_every: 2,
      keep_checkpoints: 9,
    },
  ],
});

let engine: Engine;
let store: ByteStore;
let heldOut: DomainTexts[];
beforeAll(async () => {
  engine = await startEngine({ threads: 2 });
  await mkdir(join(folder, 'text'));
  for (let i = 0; i < 40; i++)
    await writeFile(join(folder, 'text', `${i}.txt`), `Sentence number ${i} is about the number ${i * i}.\n`.repeat(2));
  await buildStore({
    domains: [textDomain([join(folder, 'text')], 80)],
    out: join(folder, 'data'),
    validationFraction: 0.2,
    seed: 1,
    textKey: 'text',
  });
  store = await openStore(join(folder, 'data'));
  heldOut = await evaluationTexts(store.validation, { maxBytes: 300 });
});
afterAll(() => store.close());

const run = (name: string, options: { recipe?: Recipe; signal?: AbortSignal; onStep?: () => void } = {}) =>
  finetune({
    from: [BLT],
    source: null,
    run: join(folder, name),
    recipe: options.recipe ?? recipe,
    store,
    heldOut,
    sourceBitsPerByte: 2.5,
    settings: 'settings',
    signal: options.signal ?? new AbortController().signal,
    ...(options.onStep && { onStep: options.onStep }),
  });

const withStage = (change: object): Recipe => ({ ...recipe, stages: [{ ...recipe.stages[0]!, ...change }] });

async function curve(name: string): Promise<unknown[]> {
  const lines = (await readFile(join(folder, name, 'metrics.jsonl'), 'utf8')).trim().split('\n');
  return lines.map((line) => {
    const { time: _time, bytes_per_second: _speed, data_wait_fraction: _wait, ...rest } = JSON.parse(line);
    return rest;
  });
}

async function weights(name: string, step: number): Promise<Map<string, Uint8Array>> {
  const reader = await openCheckpoint(join(folder, name, checkpointName(step)));
  const all = new Map<string, Uint8Array>();
  for (const tensor of reader.tensors.keys()) all.set(tensor, await reader.read(tensor));
  await reader.close();
  return all;
}

describe('a training run', () => {
  it('lowers the loss, logs the source’s bits per byte beside its own, and leaks no tensor', async () => {
    const before = engine.liveHandles();
    const { metrics, checkpoint } = await run('whole');
    expect(engine.liveHandles()).toBe(before);
    const lines = (await curve('whole')) as { step: number; validation_bits_per_byte?: number }[];
    const evaluations = lines.filter((line) => line.validation_bits_per_byte !== undefined);
    expect(evaluations.map(({ step }) => step)).toEqual([0, 3, 6]);
    expect(evaluations[2]!.validation_bits_per_byte!).toBeLessThan(evaluations[0]!.validation_bits_per_byte!);
    expect(metrics).toMatchObject({
      source_bits_per_byte: 2.5,
      validation_bits_per_byte: evaluations[2]!.validation_bits_per_byte,
      data_wait_fraction: expect.any(Number),
    });
    expect(checkpoint).toBe(join(folder, 'whole', checkpointName(6)));
    (await openBlt(checkpoint)).dispose();
  });

  it('that was stopped resumes with the results of an uninterrupted run', async () => {
    const controller = new AbortController();
    let steps = 0;
    const stopped = run('stopped', {
      signal: controller.signal,
      onStep: () => ++steps === 3 && controller.abort(new Error('stop')),
    } as never);
    await expect(stopped).rejects.toThrow('stop');
    await run('stopped');
    expect(await curve('stopped')).toEqual(await curve('whole'));
    expect(await weights('stopped', 6)).toEqual(await weights('whole', 6));
  });

  it('that was killed between checkpoints resumes from the last one with the same results', async () => {
    await cp(join(folder, 'whole'), join(folder, 'killed'), { recursive: true });
    for (const step of [4, 6]) rmSync(join(folder, 'killed', checkpointName(step)), { recursive: true });
    await run('killed');
    expect(await curve('killed')).toEqual(await curve('whole'));
    expect(await weights('killed', 6)).toEqual(await weights('whole', 6));
  });

  describe('refuses a damaged checkpoint, with a hint, if', () => {
    const at = join(folder, 'damaged', checkpointName(4));
    const change = async (state: object) => {
      const path = join(at, 'trainer_state.json');
      await writeFile(path, JSON.stringify({ ...JSON.parse(await readFile(path, 'utf8')), ...state }));
    };
    const rewrite = async (file: string, edit: (tensors: TensorInfo[]) => TensorInfo[]) => {
      const reader = await openSafetensorsFile(join(at, file));
      const tensors = edit([...reader.tensors.values()]);
      await writeSafetensorsFile(join(at, file), tensors, (info) => new Uint8Array(tensorBytes(info)));
      await reader.close();
    };
    const norm = 'model.local_encoder.layers.0.input_layernorm.weight';
    it.each<[string, () => Promise<unknown>, RegExp]>([
      [
        'the packer’s state is missing',
        () => change({ packer: null }),
        /trainer_state\.json is not the state of a training run: packer/,
      ],
      [
        'the packer’s position is beyond the text',
        () => change({ packer: { epoch: 0, place: 1e6, offset: 0, row: 0 } }),
        /refers to a position that is not in the training text/,
      ],
      [
        'the weights are truncated',
        () => truncate(join(at, 'model.safetensors'), 5000),
        /model\.safetensors is not a valid/,
      ],
      [
        'the moments are truncated',
        () => truncate(join(at, 'optimizer.safetensors'), 5000),
        /optimizer\.safetensors is not a valid/,
      ],
      ['the moments are missing', () => rm(join(at, 'optimizer.safetensors')), /optimizer\.safetensors does not exist/],
      [
        'one moment is missing',
        () => rewrite('optimizer.safetensors', (all) => all.filter(({ name }) => name !== `${norm}.first`)),
        /lacks the tensor ".*input_layernorm\.weight\.first"/,
      ],
      [
        'a weight has another shape',
        () =>
          rewrite('model.safetensors', (all) =>
            all.map((info) => (info.name === norm ? { ...info, shape: [7] } : info)),
          ),
        /is F32 \[7\], not F32 \[/,
      ],
      [
        'a weight has another dtype',
        () =>
          rewrite('model.safetensors', (all) =>
            all.map((info) => (info.name === norm ? { ...info, dtype: 'I32' } : info)),
          ),
        /is I32 \[\d+\], not F32 \[/,
      ],
    ])('%s', async (_what, damage, message) => {
      rmSync(join(folder, 'damaged'), { recursive: true, force: true });
      await cp(join(folder, 'whole'), join(folder, 'damaged'), { recursive: true });
      rmSync(join(folder, 'damaged', checkpointName(6)), { recursive: true });
      await damage();
      const before = engine.liveHandles();
      await expect(run('damaged')).rejects.toMatchObject({
        message: expect.stringMatching(message),
        hint: expect.stringContaining(`Remove ${at}`),
      });
      expect(engine.liveHandles(), 'handles leaked').toBe(before);
    });
  });

  it('gives the same results in micro-batches, except for rounding', async () => {
    await run('micro', { recipe: withStage({ micro_batch_size: 1 }) });
    const [one, all] = [await curve('micro'), await curve('whole')] as [
      Record<string, number>[],
      Record<string, number>[],
    ];
    all.forEach((line, i) => {
      for (const [key, value] of Object.entries(line))
        expect(one[i]![key], `${key} of line ${i}`).toBeCloseTo(value, 3);
    });
  });

  it('does not change frozen parts, nor the patcher', async () => {
    await run('frozen', { recipe: withStage({ frozen: ['global', 'hash'], steps: 2 }) });
    const original = await openCheckpoint(BLT);
    for (const [name, bytes] of await weights('frozen', 2)) {
      const same = Buffer.compare(bytes, await original.read(name)) === 0;
      expect(same, name).toBe(/global_transformer|hash|patcher/.test(name));
    }
    await original.close();
  });

  it('refuses to resume with different settings', async () => {
    const other = finetune({
      from: [BLT],
      source: null,
      run: join(folder, 'whole'),
      recipe,
      store,
      heldOut,
      sourceBitsPerByte: null,
      settings: 'others',
      signal: new AbortController().signal,
    });
    await expect(other).rejects.toThrow(/started with different settings/);
  });

  it('reports divergence and keeps the last checkpoint', async () => {
    const wild = withStage({ learning_rate: 1e30, warmup_steps: 0, clip_norm: 1e30, checkpoint_every: 1 });
    await expect(run('wild', { recipe: wild })).rejects.toThrow(/not a finite number at step/);
    await weights('wild', 1);
  });

  it('runs several stages in order', async () => {
    const two = {
      ...recipe,
      stages: [
        { ...recipe.stages[0]!, steps: 2, frozen: ['global' as const] },
        { ...recipe.stages[0]!, steps: 1 },
      ],
    };
    const { checkpoint } = await run('two', { recipe: two });
    expect(checkpoint).toBe(join(folder, 'two', checkpointName(1)));
    await weights('two/stage-0', 2);
  });
});

describe('checkpoints in a conversion folder', () => {
  const [one, other] = [
    { frozen: ['global', 'hash'], steps: 2 },
    { frozen: ['global', 'encoder', 'hash'], steps: 3 },
  ];
  const stages = [one, other].map((change) => withStage(change).stages[0]!);
  const at = () => join(folder, 'conversion');
  const tune = (name: string, options: { conversion?: string; stopAfter?: number } = {}) => {
    const controller = new AbortController();
    let steps = 0;
    return finetune({
      from: [join(at(), 'init')],
      source: null,
      run: join(at(), name),
      recipe: { ...recipe, stages },
      store,
      heldOut,
      sourceBitsPerByte: null,
      settings: 'settings',
      signal: controller.signal,
      ...(options.conversion !== undefined && { conversion: options.conversion }),
      onStep: () => ++steps === options.stopAfter && controller.abort(new Error('stop')),
    });
  };

  it('contain only trained tensors, give the same models as complete ones, and can be resumed from', async () => {
    await cp(BLT, join(at(), 'init'), { recursive: true });
    await tune('whole');
    await tune('shared', { conversion: at() });
    await expect(tune('again', { conversion: at(), stopAfter: 4 })).rejects.toThrow('stop');
    const { checkpoint } = await tune('again', { conversion: at() });
    const last = checkpointName(3);
    const whole = await weights('conversion/whole', 3);
    expect(whole.size).toBeGreaterThan(0);
    expect(await weights('conversion/shared', 3)).toEqual(whole);
    expect(await weights('conversion/again', 3)).toEqual(whole);
    expect(await weights('conversion/shared/stage-0', 2)).toEqual(await weights('conversion/whole/stage-0', 2));
    const own = await openSafetensorsFile(join(at(), 'shared', last, 'trained.safetensors'));
    expect(
      [...own.tensors.keys()].filter((name) => /global_transformer|local_encoder|hash|patcher/.test(name)),
    ).toEqual([]);
    await own.close();
    (await openBlt(checkpoint)).dispose();
  });

  it('can be exported, and need nothing outside the conversion folder', async () => {
    const from = join(at(), 'again', checkpointName(3));
    const out = join(at(), 'blt');
    const how = { out, dtype: 'float32' as const, card: cardFromManifest(null, { name: 'x' }), ownsOut: true };
    await exportTransformers({ from, ...how });
    await checkExport(out);
    await expect(checkExport(from)).rejects.toThrow('contains only the trained tensors');
    expect(await resolveCheckpoint(from)).toMatchObject({ folder: from, modelType: 'blt' });
    await cp(at(), join(folder, 'moved'), { recursive: true });
    rmSync(at(), { recursive: true });
    (await openBlt(join(folder, 'moved/again', checkpointName(3)))).dispose();
  });
});
