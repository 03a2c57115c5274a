/** The tiny Llama as the source of a small BLT that was remapped from it, with all tensors that are needed to read text with both. */
import { bltTensors } from '../../src/blt/index.js';
import { type ByteStore, PACKER_START } from '../../src/data/index.js';
import type { Variable } from '../../src/engine/index.js';
import type { SourceSettings } from '../../src/finetune/batches/batch-preparer.js';
import { createBatchSource } from '../../src/finetune/batches/batch-source.js';
import { NO_CAPACITY } from '../../src/finetune/batches/capacity.js';
import type { RowSource } from '../../src/finetune/batches/row-source.js';
import type { StepBatch } from '../../src/finetune/batches/step-batch.js';
import { openTeacher, type Teacher } from '../../src/finetune/teacher/teacher.js';
import { createPatcherRunner, loadVariable, TOKEN_END_HEAD } from '../../src/model/index.js';
import type { SourceTarget } from '../../src/patching/index.js';
import { openCheckpoint, overlay } from '../../src/safetensors/index.js';
import { type Distillation, openDistillation, openText } from './distillation.js';

export interface SourceReading {
  readonly store: ByteStore;
  readonly tiny: Distillation;
  readonly source: Teacher;
  /** The tensors of the BLT, of its patcher with its token-end head, and of the source. */
  readonly variables: ReadonlyMap<string, Variable>;
  /** Batches of rows, segmented by the patcher, with the requested fields of the source. */
  batches(options: BatchOptions): Promise<StepBatch[]>;
  close(): Promise<void>;
}

export interface BatchOptions {
  /** The store's text in rows of this many positions, or rows as they are. */
  readonly rows: number | Extract<RowSource, { kind: 'given' }>;
  readonly targets: readonly SourceTarget[];
  readonly rowsPerStep: number;
  readonly microBatchRows: number;
  readonly count: number;
}

/** The engine must be started. @param folder where the text and the models are written */
export async function openSourceReading(folder: string): Promise<SourceReading> {
  const store = await openText(folder);
  const tiny = await openDistillation(folder, store, { crossAttnK: 1, hiddenSize: 160 });
  const source = await openTeacher(tiny.source, tiny.from, tiny.config);
  const {
    tensors,
    layers: _none,
    ...settings
  } = await source.trainingSource({ tensors: ['embedding', 'head'], layers: false });
  const asked: Omit<SourceSettings, 'targets'> = settings;
  const variables = new Map(tensors);
  const reader = overlay(await Promise.all(tiny.from.map(openCheckpoint)));
  for (const name of [...bltTensors(tiny.config).map(({ name }) => name), TOKEN_END_HEAD])
    variables.set(name, await loadVariable(reader, name));
  await reader.close();
  return {
    ...{ store, tiny, source, variables },
    async batches({ rows, targets, rowsPerStep, microBatchRows, count }) {
      const packed = { kind: 'packed', files: store.train.files, seed: 1, state: PACKER_START, repeat: true } as const;
      const patcher = createPatcherRunner(tiny.config, variables, 'graph');
      const made = createBatchSource({
        rows: typeof rows === 'number' ? { ...packed, rowBytes: rows } : rows,
        config: tiny.config,
        patched: true,
        source: { ...asked, targets },
        weights: 'weights',
        trainsTable: false,
        rowsPerStep,
        microBatchRows,
        capacity: NO_CAPACITY,
        runPatcher: patcher.run,
      });
      const batches: StepBatch[] = [];
      while (batches.length < count) batches.push(await made.next());
      await made.close();
      patcher.dispose();
      return batches;
    },
    async close() {
      for (const variable of variables.values()) variable.dispose();
      await source.close();
      await store.close();
    },
  };
}
