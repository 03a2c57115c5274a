/** What the fits of the initialisation are given, for the tiny Llama: its text cut into patches, its states, and the unfinished model. */
import { join } from 'node:path';
import { bltTensors } from '../../../src/blt/index.js';
import type { ByteStore } from '../../../src/data/index.js';
import { tf, type Variable } from '../../../src/engine/index.js';
import type { StepBatch } from '../../../src/finetune/batches/step-batch.js';
import { decoderTensors } from '../../../src/finetune/stages/closed-form/decoder-tensors.js';
import { encoderTensors } from '../../../src/finetune/stages/closed-form/encoder-tensors.js';
import { contentVectors } from '../../../src/finetune/stages/closed-form/fit-tables.js';
import { type FittingText, fittingBatches } from '../../../src/finetune/stages/closed-form/fitting-text.js';
import { type Layout, layoutOf } from '../../../src/finetune/stages/closed-form/layout.js';
import type { NgramTraining } from '../../../src/finetune/stages/closed-form/ngram-model.js';
import { openScratchModel, type ScratchModel } from '../../../src/finetune/stages/closed-form/scratch-model.js';
import { createSourceStates } from '../../../src/finetune/teacher/source-states.js';
import { openTeacher, type Teacher } from '../../../src/finetune/teacher/teacher.js';
import {
  createPatcherRunner,
  loadVariable,
  type Params,
  sourceEmbedding,
  sourceNorm,
  TOKEN_END_HEAD,
} from '../../../src/model/index.js';
import type { SourceTarget } from '../../../src/patching/index.js';
import { openCheckpoint, overlay } from '../../../src/safetensors/index.js';
import { type Distillation, type LocalSizes, openDistillation } from '../../support/distillation.js';

export const ROWS = 8;
export const LENGTH = 256;
export const SEED = 1;

export interface FitInputs {
  readonly tiny: Distillation;
  readonly layout: Layout;
  readonly teacher: Teacher;
  /** The source's embeddings, norm and head. */
  readonly source: Params;
  /** The embeddings as the content channels hold them [V, content]. */
  readonly vectors: Float32Array;
  /** The unfinished model, with the initial tensors of encoder and decoder. */
  readonly model: ScratchModel;
  /** Text of the training split, or held-out text, cut by the patcher; the source's states are computed if they are asked for. */
  batches(split: 'train' | 'validation', bytes: number, targets: readonly SourceTarget[]): AsyncGenerator<StepBatch>;
  /** Settings of the n-gram model on the training split. */
  ngrams(change: Pick<NgramTraining, 'skipBytes' | 'bytes'>): NgramTraining;
  close(): Promise<void>;
}

/** The engine must be started. @param folder where the models are written */
export async function openFitInputs(folder: string, store: ByteStore, sizes: LocalSizes): Promise<FitInputs> {
  const tiny = await openDistillation(join(folder, 'models'), store, sizes);
  const { config } = tiny;
  const layout = layoutOf(config);
  const teacher = await openTeacher(tiny.source, tiny.from, config);
  const wanted = { tensors: ['embedding', 'head'], layers: false } as const;
  const { tensors, layers: _none, ...settings } = await teacher.trainingSource(wanted);
  const start = overlay(await Promise.all(tiny.from.map(openCheckpoint)));
  const frozen = new Map<string, Variable>(tensors);
  for (const { name, part } of bltTensors(config))
    if (part === 'patcher' || part === 'global') frozen.set(name, await loadVariable(start, name));
  frozen.set(TOKEN_END_HEAD, await loadVariable(start, TOKEN_END_HEAD));
  const patcher = createPatcherRunner(config, frozen, 'graph');
  const states = createSourceStates({ config, frozen, mode: 'graph', precision: 'float32', cache: null });
  const model = await openScratchModel(config, start);
  await start.close();
  const source: Params = new Map([...tensors].map(([name, variable]) => [name, variable.read()]));
  model.replace(encoderTensors(config, layout));
  model.replace(decoderTensors(config, layout, sourceNorm(source).dataSync() as Float32Array));
  const { signal } = new AbortController();
  return {
    ...{ tiny, layout, teacher, source, model },
    vectors: contentVectors(sourceEmbedding(source), layout),
    batches(split, bytes, targets) {
      const text: FittingText = {
        ...{ config, source: settings, rows: ROWS, length: LENGTH, seed: SEED, signal },
        data: store[split],
        runPatcher: (_index, batch) => patcher.run(batch),
      };
      return fittingBatches(text, bytes, targets, targets.includes('states') ? states.add : undefined);
    },
    ngrams: (change) => ({
      ...{ data: store.train, hash: config.hash, width: layout.spare, length: LENGTH, seed: SEED, signal },
      tokensOf: teacher.reader.tokensOf,
      ...change,
    }),
    async close() {
      tf.dispose([...source.values()]);
      model.dispose();
      await states.close();
      patcher.dispose();
      for (const variable of frozen.values()) variable.dispose();
      await teacher.close();
    },
  };
}

/** A signal that is aborted when it has been checked so many times. @param reason what it throws then */
export function abortedAfter(checks: number, reason: Error): AbortSignal {
  let left = checks;
  const throwIfAborted = () => {
    if (left-- <= 0) throw reason;
  };
  return { throwIfAborted, aborted: false } as AbortSignal;
}
