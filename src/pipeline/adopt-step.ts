/** @module The first stages of an adaptation: a finished model takes the place of a remapped one, in `init/`, with its source in `source/`. */
import { existsSync } from 'node:fs';
import { cp, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { bltTensors, configText, readBltConfig, toTransformersConfig } from '../blt/index.js';
import { type Checkpoint, type Manifest, readManifest, resolveCheckpoint, runStage } from '../conversion/index.js';
import { UsageError } from '../errors.js';
import { modelDigest } from '../evaluate/index.js';
import { digestOf, removeAtomic, writeFolderAtomic } from '../fs/index.js';
import { openCheckpoint, tensorBytes, tensorChunks, writeCheckpoint } from '../safetensors/index.js';
import { humanBytes } from '../ui/index.js';
import type { StepContext } from './context.js';
import { recordRecipe } from './record-recipe.js';

/** The trained model of a folder. @throws UsageError if it is no BLT, or a conversion whose training has not ended */
async function trainedModel(from: string, manifest: Manifest | null): Promise<Checkpoint> {
  if (manifest !== null && manifest.stages.finetune?.state !== 'done')
    throw new UsageError(`The conversion in ${from} has not been trained to its end.`, {
      hint: 'Run `byteify convert` with the same --out first.',
    });
  const found = await resolveCheckpoint(from, { prefer: ['run', 'export'] });
  if (found.modelType === 'blt') return found;
  throw new UsageError(`${found.folder} is not a BLT: its model_type is ${JSON.stringify(found.modelType)}.`, {
    hint: 'Convert the model first: `byteify convert`.',
  });
}

/** Copies a checkpoint as float32, with all tensors, also those that it shares with other folders. */
async function copyModel(from: string, out: string, { reporter, signal }: StepContext): Promise<void> {
  const config = await readBltConfig(from);
  const reader = await openCheckpoint(from);
  try {
    const tensors = bltTensors(config).flatMap(({ name }) => reader.tensors.get(name) ?? []);
    const totalBytes = tensors.reduce((sum, tensor) => sum + tensorBytes(tensor), 0);
    let doneBytes = 0;
    await writeFolderAtomic(out, async (folder) => {
      await writeCheckpoint(
        folder,
        tensors.map((tensor) => ({ ...tensor, dtype: 'F32' as const })),
        async function* ({ name }) {
          const tensor = reader.tensors.get(name)!;
          yield* tensorChunks(reader, tensor, { dtype: 'F32', signal });
          doneBytes += tensorBytes(tensor);
          reporter.progress({ done: doneBytes, total: totalBytes, unit: 'bytes' });
        },
      );
      await writeFile(join(folder, 'config.json'), configText(toTransformersConfig(config, 'float32')));
    });
  } finally {
    await reader.close();
  }
}

/**
 * Copies a finished model, and the source that it was made from if it is there, unless that is done. Needs no engine.
 * @param from a conversion or a BLT checkpoint folder
 * @throws UsageError when the model is not finished, or has changed since; the signal's reason.
 */
export async function adoptStep(context: StepContext, from: string): Promise<void> {
  const { conversion, recipe, reporter, signal } = context;
  reporter.stage(`Copying ${from}`);
  // What was copied does not need the original any more.
  const isCopied = conversion.manifest().stages.remap?.state === 'done' && conversion.restartFrom() === null;
  if (isCopied && !existsSync(from)) return reporter.done('already there');
  const manifest = await readManifest(from);
  const { folder } = await trainedModel(from, manifest);
  const source = join(from, 'source');
  const files = manifest?.stages.import?.files ?? [];
  await runStage({
    conversion,
    name: 'import',
    inputs: { model: digestOf(resolve(from)) },
    async work(out) {
      await removeAtomic(out);
      if (manifest !== null && existsSync(source)) await cp(source, out, { recursive: true });
      const { model, revision, license, quantised_types } = manifest ?? { model: null, revision: null, license: null };
      await conversion.update((now) => ({ ...now, model, revision, license, quantised_types }));
      return { files };
    },
  });
  const sha256 = await modelDigest(folder, signal);
  const state = await runStage({
    conversion,
    name: 'remap',
    inputs: { model: sha256 },
    async work(out) {
      await recordRecipe(conversion, recipe);
      await copyModel(folder, out, context);
      await conversion.update((now) => ({ ...now, adapted_from: { model: from, sha256 } }));
      return {};
    },
  });
  const size = await weightBytes(conversion.path('remap'));
  reporter.done(state === 'skipped' ? 'already there' : humanBytes(size));
}

async function weightBytes(folder: string): Promise<number> {
  const reader = await openCheckpoint(folder);
  const size = [...reader.tensors.values()].reduce((sum, tensor) => sum + tensorBytes(tensor), 0);
  await reader.close();
  return size;
}
