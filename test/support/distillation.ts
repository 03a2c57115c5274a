/** The inputs of distillation stages: the tiny Llama in a BLT of a given size, a briefly aligned patcher, and text. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type BltConfig, bltConfigFor, readBltConfig } from '../../src/blt/index.js';
import { type ByteStore, buildStore, evaluationTexts, openStore, textDomain } from '../../src/data/index.js';
import { finetune, trainPatcher } from '../../src/finetune/index.js';
import { locateModel } from '../../src/import/index.js';
import { openLlama } from '../../src/llama/index.js';
import { localSizesOf, type Recipe, recipeSchema } from '../../src/recipe/index.js';
import { remap } from '../../src/remap/index.js';
import { OWN_TEXT } from './conversions.js';

export interface LocalSizes {
  readonly crossAttnK: number;
  readonly hiddenSize: number;
}

export interface Distillation {
  readonly source: string;
  readonly store: ByteStore;
  readonly config: BltConfig;
  /** The patcher's folder, then the remapped model's. */
  readonly from: readonly string[];
  recipe(stages: readonly object[], seed?: number): Recipe;
  /** Runs the stages in a folder of that name. @param stopAt stops after this step of this stage. */
  run(name: string, recipe: Recipe, stopAt?: { stage: number; step: number }): Promise<Record<string, number>>;
  path(name: string): string;
}

/** The store that all sizes share. */
export async function openText(folder: string): Promise<ByteStore> {
  const split = { validationFraction: 0.1, seed: 1, textKey: 'text' };
  await buildStore({ domains: [textDomain(OWN_TEXT, 2048)], out: join(folder, 'data'), ...split });
  return await openStore(join(folder, 'data'));
}

/** The engine must be started. @param folder where everything is written */
export async function openDistillation(folder: string, store: ByteStore, sizes: LocalSizes): Promise<Distillation> {
  const source = (await locateModel('builtin:tiny-llama')).path;
  const recipe = (stages: readonly object[], seed = 1) =>
    recipeSchema.parse({
      name: 'test',
      seed,
      blt: {
        cross_attn_k: sizes.crossAttnK,
        hidden_size: sizes.hiddenSize,
        decoder_layers: 2,
        hash_sizes: [2, 3, 4, 5, 6],
        hash_vocab: 2003,
      },
      patcher: {
        kind: 'aligned',
        hidden_size: 48,
        layers: 1,
        heads: 2,
        steps: 40,
        batch_bytes: 2048,
        sequence_length: 128,
        learning_rate: 1e-2,
        warmup_steps: 4,
      },
      stages,
      evaluate: { validation_bytes: 2000 },
      hardware: { mode: 'graph' },
    });
  const heldOut = await evaluationTexts(store.validation, { maxBytes: 2000 });
  const [init, patcher] = [join(folder, 'init'), join(folder, 'patcher')];
  await mkdir(folder, { recursive: true });
  const llama = await openLlama(source);
  const some = recipe([{ kind: 'end-to-end', steps: 1 }]);
  const config = bltConfigFor(llama.config, localSizesOf(llama.config, some));
  await remap({ source: llama, config, out: init, ownsOut: true, seed: 1, dtype: 'source' });
  await llama.close();
  const { signal } = new AbortController();
  const common = { store, settings: 'settings' };
  await trainPatcher({ init, out: patcher, tokenizerFolder: source, recipe: some, signal, ...common });
  const from = [patcher, init];
  const path = (name: string) => join(folder, name);
  return {
    source,
    store,
    config: await readBltConfig(patcher),
    from,
    recipe,
    path,
    async run(name, recipe, stopAt) {
      const controller = new AbortController();
      const { metrics } = await finetune({
        from,
        source,
        run: path(name),
        conversion: folder,
        recipe,
        heldOut,
        sourceBitsPerByte: null,
        signal: controller.signal,
        onStep: ({ stage, step }) => {
          if (stage === stopAt?.stage && step === stopAt.step) controller.abort(new Error('stop'));
        },
        ...common,
      });
      return { ...metrics };
    },
  };
}
