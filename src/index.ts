/**
 * @module The public API of the package: what the command line is made of. Importing it loads TensorFlow.js's operations, but TensorFlow's
 * own library only when `startEngine` is called; import, remap, plan, export and the file formats never ask for it.
 *
 * @example
 * import { openBlt, resolveCheckpoint, scoreTexts, startEngine } from 'byteify-blt';
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
// The parts that load no TensorFlow and have entries of their own, `byteify-blt/gguf` and so on; with them ByteifyError and UsageError.
export * from './entry/gguf.js';
export * from './entry/hub.js';
export * from './entry/recipe.js';
export * from './entry/safetensors.js';
// Models that run. The engine must be started.
export {
  type BitsPerByte,
  type ByteScores,
  bltBitsPerByte,
  llamaBitsPerByte,
  openScorer,
  type Scorer,
  type SelfCheck,
  scoreTexts,
  selfCheck,
} from './evaluate/index.js';
export { type ExportReport, exportTransformers } from './export/index.js';
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
export { type ImportReport, importModel, locateModel } from './import/index.js';
export { type LlamaConfig, type LlamaSource, llamaTensors, openLlama, parseLlamaConfig } from './llama/index.js';
export {
  type BltModel,
  type Cutter,
  type HeldBlt,
  type LlamaModel,
  openBlt,
  openCutter,
  openHeldBlt,
  openLlamaModel,
} from './model/index.js';
export type { TextCut } from './patching/index.js';
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
export { type CardInputs, cardFromManifest } from './release/index.js';
export { type RemapOptions, type RemapReport, remap, toBltName, toLlamaName } from './remap/index.js';
export { byteTokenizerFiles, loadTokenizer, type SourceTokenizer, tokenizerFromGguf } from './tokenizer/index.js';
// Progress, for `convert` and whoever reports it.
export { createReporter, type Reporter } from './ui/index.js';
export { toolVersion } from './version.js';
