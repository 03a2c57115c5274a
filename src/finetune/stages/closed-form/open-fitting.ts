/** @module What the fits of the closed-form initialisation share: the text, cut by the patcher and read by the source, and the unfinished model. */
import { join } from 'node:path';
import { type BltConfig, bltTensors } from '../../../blt/index.js';
import { textOf } from '../../../data/index.js';
import { tf, type Variable } from '../../../engine/index.js';
import { createPatcherRunner, loadVariable, type Params, tokenEndHead } from '../../../model/index.js';
import type { StageOf } from '../../../recipe/index.js';
import type { TensorReader } from '../../../safetensors/index.js';
import { chooseMode } from '../../loop/choose-step-mode.js';
import { createSourceStates, type SourceStates } from '../../teacher/source-states.js';
import type { Teacher } from '../../teacher/teacher.js';
import type { StageContext } from '../stage-context.js';
import { cachePatcherOutputs, type FittingText } from './fitting-text.js';
import { openScratchModel, type ScratchModel } from './scratch-model.js';

/** The text, the source and the model that the fits work on. */
export interface Fitting {
  readonly text: FittingText;
  /** The source's embeddings, final norm and head. */
  readonly source: Params;
  readonly states: SourceStates;
  readonly scratchModel: ScratchModel;
  close(): Promise<void>;
}

/** @param start the remapped model. The engine must be started, and the run's folder must exist. */
export async function openFitting(
  { config, store, recipe, run, signal, loadsSourceLayers: layers }: StageContext,
  { sequence_length: length, micro_batch_size: rows }: StageOf<'closed-form'>,
  teacher: Teacher,
  start: TensorReader,
): Promise<Fitting> {
  const mode = await chooseMode({ config, wholeModel: true, rows, length, steps: 1 });
  const wanted = { tensors: ['embedding', 'head'], layers } as const;
  const { tensors, layers: ownLayers, ...sourceSettings } = await teacher.trainingSource(wanted);
  const frozen = new Map([...(await loadFrozen(config, start)), ...tensors, ...ownLayers]);
  const patcher = createPatcherRunner(config, frozen, mode);
  const states = createSourceStates({ config, frozen, mode, precision: 'float32', cache: null });
  const scratchModel = await openScratchModel(config, start);
  const source: Params = new Map([...tensors].map(([name, variable]) => [name, variable.read()]));
  const outputs = cachePatcherOutputs(patcher, join(run, 'patcher-outputs.bin'));
  const shared = { data: textOf(store.train), config, seed: recipe.seed, signal };
  return {
    text: { ...shared, source: sourceSettings, runPatcher: outputs.run, rows, length },
    source,
    states,
    scratchModel,
    async close() {
      tf.dispose([...source.values()]);
      scratchModel.dispose();
      await states.close();
      await outputs.close();
      patcher.dispose();
      for (const variable of frozen.values()) variable.dispose();
    },
  };
}

/** Loads the patcher and the global transformer, which are frozen. */
async function loadFrozen(config: BltConfig, start: TensorReader): Promise<Map<string, Variable>> {
  const frozen = new Map<string, Variable>();
  for (const { name, part } of bltTensors(config))
    if (part === 'patcher' || part === 'global') frozen.set(name, await loadVariable(start, name));
  const { name } = tokenEndHead(config);
  if (start.tensors.has(name)) frozen.set(name, await loadVariable(start, name));
  return frozen;
}
