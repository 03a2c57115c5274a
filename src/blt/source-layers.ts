/**
 * @module Where the source's layers are. The remapped model's latent global transformer consists of them, so that stages which leave it as it is
 * compute the source's states with it. Once a stage trains it, the source's layers have to be loaded a second time.
 */
import { type StageShape, stageRuns } from './stage-kinds.js';

/** Whether the checkpoints of a stage have other layers in the latent global transformer than the stage began with: adapters are merged into them. */
function changesLayers(stage: StageShape): boolean {
  return stageRuns(stage).model.global === 'trained' || (stage.kind === 'end-to-end' && stage.lora !== undefined);
}

/**
 * Whether a stage computes the source's states with layers that it loads in addition to the latent global transformer: because it trains the
 * latter, or an earlier stage did. Adapters are stored apart from the weights during their own stage, which can therefore share these.
 * @param stages all stages of a recipe. @param index of the stage in question.
 */
export function loadsSourceLayers(stages: readonly StageShape[], index: number): boolean {
  const { source, model } = stageRuns(stages[index]!);
  return source.states && (model.global === 'trained' || stages.slice(0, index).some(changesLayers));
}

/** Whether a stage needs the source at all. */
export function needsSource(stage: StageShape): boolean {
  return Object.values(stageRuns(stage).source).some(Boolean);
}
