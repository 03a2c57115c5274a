/** Short training runs on a small text, for tests of recipe settings. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  allTexts,
  type ByteStore,
  buildStore,
  evaluationTexts,
  openStore,
  textDomain,
} from '../../../src/data/index.js';
import { checkpointName, finetune } from '../../../src/finetune/index.js';
import { type Recipe, recipeSchema, type TrainingStage } from '../../../src/recipe/index.js';
import { openCheckpoint, openSafetensorsFile, type TensorReader, toFloat32 } from '../../../src/safetensors/index.js';

/** The keys of all kinds of training stages. */
type StageKey = TrainingStage extends infer Stage ? (Stage extends unknown ? keyof Stage : never) : never;
export type Mode = Recipe['hardware']['mode'];

/** A recipe with one stage of six steps. @param stage keys that replace the defaults. */
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
  /** Trains the model in `from` in a folder of this name, or resumes the run there. @param stopAfter stops after so many steps. */
  run(name: string, from: string, recipe: Recipe, stopAfter?: number): Promise<Readonly<Record<string, number>>>;
  path(name: string): string;
  /** The lines of metrics.jsonl without time-dependent values. */
  curve(name: string): Promise<Record<string, number>[]>;
  close(): Promise<void>;
}

/** Builds a store of short sentences in a folder. The engine must be started before `run`. */
export async function openRuns(folder: string): Promise<Runs> {
  const texts = join(folder, 'text');
  await mkdir(texts);
  for (let i = 0; i < 60; i++)
    await writeFile(join(texts, `${i}.txt`), `Sentence number ${i} is about the number ${i * i}.\n`.repeat(2));
  const out = join(folder, 'data');
  await buildStore({ domains: [textDomain([texts], 80)], out, validationFraction: 0.2, seed: 1, textKey: 'text' });
  const store = await openStore(out);
  const heldOut = await evaluationTexts(store.validation, { maxBytes: 300 });
  const path = (name: string) => join(folder, name);
  return {
    store,
    heldOut: allTexts(heldOut),
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

/** The folder of a run's checkpoint. */
export const checkpointOf = (run: string, step: number): string => join(run, checkpointName(step));

/** The names of tensors that are missing from one side, or whose values differ. -0 equals 0. */
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
