/**
 * @module The public API of the package: what the command line is made of. Importing it loads TensorFlow.js's operations, but TensorFlow's
 * own library only when `startEngine` is called; import, remap, plan, export and the file formats never ask for it.
 *
 * @example
 * import { openBlt, resolveCheckpoint, scoreTexts, startEngine } from 'byteify';
 *
 * await startEngine();
 * const { folder } = await resolveCheckpoint('llama-blt');
 * const model = await openBlt(folder);
 * const [scores] = scoreTexts(model.params, model.config, [new TextEncoder().encode('Bytes are all there is.')]);
 */

// The formats: bytes, the BLT's config and tensors, the source's, and the two kinds of file.
export {
  type BltConfig,
  BOS,
  bltConfigFor,
  bltTensors,
  decodeBytes,
  deriveLocalSizes,
  EOS,
  encodeBytes,
  type LocalSizes,
  parseBltConfig,
  type TensorSpec,
  toTransformersConfig,
  VOCAB_SIZE,
} from './blt/index.js';
// A conversion: its folder, its stages one by one, or all of them.
export {
  type Checkpoint,
  type Conversion,
  type Manifest,
  openConversion,
  readManifest,
  resolveCheckpoint,
  STAGE_NAMES,
  type StageName,
} from './conversion/index.js';
// Text to train on and to measure with.
export { type ByteStore, buildStore, evaluationTexts, openStore } from './data/index.js';
// The engine. `tf` is the copy of tfjs-core that it computes with.
export {
  type Engine,
  type EngineLocation,
  type EngineOptions,
  locateEngine,
  type SelfTest,
  type SetUpOptions,
  selfTest,
  setUpEngine,
  startEngine,
  tf,
} from './engine/index.js';
export { ByteifyError, UsageError } from './errors.js';
export { type SelfCheck, selfCheck } from './evaluate/index.js';
export { type CardInputs, cardFromManifest, type ExportReport, exportTransformers } from './export/index.js';
export {
  benchTrainStep,
  type FinetuneOptions,
  type FinetuneReport,
  finetune,
  type PatcherReport,
  type StepReport,
  trainPatcher,
} from './finetune/index.js';
// Text that follows a prompt.
export {
  type ChatPrompts,
  type GenerationRequest,
  type Generator,
  openChatPrompts,
  openGenerator,
  PLAIN_SAMPLING,
  type Sampling,
  textPrompt,
  type WrittenBytes,
} from './generate/index.js';
export { type GgufFile, type GgufValue, openGguf } from './gguf/index.js';
export { type Downloaded, type DownloadOptions, downloadModel, hubEnvironment, parseModelId } from './hub/index.js';
export { type ImportReport, importModel, locateModel } from './import/index.js';
export { type LlamaConfig, type LlamaSource, llamaTensors, openLlama, parseLlamaConfig } from './llama/index.js';
// Models that run. The engine must be started.
export {
  type BitsPerByte,
  type BltModel,
  type ByteScores,
  bltBitsPerByte,
  type LlamaModel,
  llamaBitsPerByte,
  openBlt,
  openLlamaModel,
  openResidentModel,
  openScorer,
  openSegmenter,
  type ResidentModel,
  type Scorer,
  type Segmenter,
  scoreTexts,
  type TextCut,
} from './model/index.js';
export { convert, type PublishRequest, publishStep, type StepContext } from './pipeline/index.js';
export {
  configPlanSource,
  hubPlanSource,
  localPlanSource,
  makePlan,
  measuredGflops,
  type Plan,
  type PlanSource,
} from './plan/index.js';
export {
  listRecipes,
  loadRecipe,
  loadRecipeOrDefault,
  localSizesOf,
  type Recipe,
  recipeFor,
  recipeJsonSchema,
  recipeToYaml,
} from './recipe/index.js';
export { type RemapOptions, type RemapReport, remap, toBltName, toLlamaName } from './remap/index.js';
export {
  fromFloat32,
  openCheckpoint,
  openSafetensorsFile,
  type TensorInfo,
  type TensorReader,
  toFloat32,
  writeCheckpoint,
  writeSafetensorsFile,
} from './safetensors/index.js';
export { byteTokenizerFiles, loadTokenizer, type SourceTokenizer, tokenizerFromGguf } from './tokenizer/index.js';
// Progress, for `convert` and whoever reports it.
export { createReporter, type Reporter } from './ui/index.js';
export { toolVersion } from './version.js';
