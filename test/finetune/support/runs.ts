/** Runs of a few steps on a little text, for tests of what a recipe chooses. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type ByteStore, buildStore, evaluationTexts, openStore } from '../../../src/data/index.js';
import { checkpointName, finetune } from '../../../src/finetune/index.js';
import { type Recipe, recipeSchema, type TrainingStage } from '../../../src/recipe/index.js';
import { openCheckpoint, openSafetensorsFile, type TensorReader, toFloat32 } from '../../../src/safetensors/index.js';

/** Keys of every kind of training stage. */
type StageKey = TrainingStage extends infer Stage ? (Stage extends unknown ? keyof Stage : never) : never;
export type Mode = Recipe['hardware']['mode'];

/** One stage of six steps; what a test is about is changed. */
export function recipeWith(stage: Partial<Record<StageKey, unknown>>, mode: Mode = 'graph'): Recipe {
  return recipeSchema.parse({
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
        ...stage,
      },
    ],
    hardware: { mode },
  });
}

export interface Runs {
  readonly store: ByteStore;
  readonly heldOut: readonly Uint8Array[];
  /** Trains `from` by a recipe in a folder of that name; once more goes on. @param stopAfter steps of this sitting. */
  run(name: string, from: string, recipe: Recipe, stopAfter?: number): Promise<Readonly<Record<string, number>>>;
  path(name: string): string;
  /** The lines of metrics.jsonl, without what the clock says. */
  curve(name: string): Promise<Record<string, number>[]>;
  close(): Promise<void>;
}

/** Builds a store of sentences in a folder. The engine must be started before a run. */
export async function openRuns(folder: string): Promise<Runs> {
  const texts = join(folder, 'text');
  await mkdir(texts);
  for (let i = 0; i < 60; i++)
    await writeFile(join(texts, `${i}.txt`), `Sentence number ${i} is about the number ${i * i}.\n`.repeat(2));
  const out = join(folder, 'data');
  await buildStore({ paths: [texts], out, chunkBytes: 80, validationFraction: 0.2, seed: 1, textKey: 'text' });
  const store = await openStore(out);
  const heldOut = await evaluationTexts(store.validation, { maxBytes: 300 });
  const path = (name: string) => join(folder, name);
  return {
    store,
    heldOut,
    path,
    async run(name, from, recipe, stopAfter = Number.POSITIVE_INFINITY) {
      const controller = new AbortController();
      let steps = 0;
      const { metrics } = await finetune({
        from: [from],
        source: null,
        run: path(name),
        recipe,
        store,
        heldOut,
        sourceBitsPerByte: null,
        settings: 'settings',
        signal: controller.signal,
        onStep: () => {
          if (++steps === stopAfter) controller.abort(new Error('stop'));
        },
      });
      return metrics;
    },
    async curve(name) {
      const lines = (await readFile(join(path(name), 'metrics.jsonl'), 'utf8')).trim().split('\n');
      return lines.map((line) => {
        const { time: _time, bytes_per_second: _speed, data_wait_fraction: _wait, ...rest } = JSON.parse(line);
        return rest;
      });
    },
    close: () => store.close(),
  };
}

async function allBytes(reader: TensorReader): Promise<Map<string, Uint8Array>> {
  const all = new Map<string, Uint8Array>();
  for (const name of reader.tensors.keys()) all.set(name, await reader.read(name));
  await reader.close();
  return all;
}

/** The bytes of every tensor of a model folder. */
export async function bytesOf(folder: string): Promise<Map<string, Uint8Array>> {
  return await allBytes(await openCheckpoint(folder));
}

/** The values of every tensor of a model folder, or of a safetensors file. */
export async function valuesOf(path: string): Promise<Map<string, Float32Array>> {
  const reader = path.endsWith('.safetensors') ? await openSafetensorsFile(path) : await openCheckpoint(path);
  const dtypes = new Map([...reader.tensors].map(([name, { dtype }]) => [name, dtype]));
  return new Map([...(await allBytes(reader))].map(([name, bytes]) => [name, toFloat32(bytes, dtypes.get(name)!)]));
}

/** A checkpoint of a run. */
export const checkpointOf = (run: string, step: number): string => join(run, checkpointName(step));

/** Names of the tensors that are not in both, or whose values differ; -0 is 0. */
export function differing(
  a: ReadonlyMap<string, ArrayLike<number>>,
  b: ReadonlyMap<string, ArrayLike<number>>,
): string[] {
  const differ = (name: string) => {
    const [x, y] = [a.get(name), b.get(name)];
    if (x === undefined || y === undefined || x.length !== y.length) return true;
    for (let i = 0; i < x.length; i++) if (x[i] !== y[i]) return true;
    return false;
  };
  return [...new Set([...a.keys(), ...b.keys()])].filter(differ);
}
