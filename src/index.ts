/**
 * @module The public API of the package, on which the command line is built. Importing it loads TensorFlow.js's operations; TensorFlow's own
 * library is loaded only by `startEngine`. Import, remap, plan, export and the file formats never need it.
 *
 * @example
 * import { openBlt, resolveCheckpoint, scoreTexts, startEngine } from 'byteify-blt';
 *
 * await startEngine();
 * const { folder } = await resolveCheckpoint('llama-blt');
 * const model = await openBlt(folder);
 * const [scores] = scoreTexts(model.params, model.config, [new TextEncoder().encode('Bytes are all there is.')]);
 */

// The formats: bytes, and the configs and tensors of BLT and Llama.
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
// A conversion folder and its stages.
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
// Text for training and evaluation.
export { type ByteStore, buildStore, evaluationTexts, openStore } from './data/index.js';
// The engine. `tf` is the copy of tfjs-core with which it computes.
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
// The parts that load no TensorFlow and are also subpath exports (`byteify-blt/gguf` and so on), with ByteifyError and UsageError.
export * from './entry/gguf.js';
export * from './entry/hub.js';
export * from './entry/recipe.js';
export * from './entry/safetensors.js';
// Running models. The engine must be started.
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
// Text generation.
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
  type LlamaModel,
  openBlt,
  openLlamaModel,
  openResidentModel,
  openSegmenter,
  type ResidentModel,
  type Segmenter,
} from './model/index.js';
export type { TextCut } from './patching/index.js';
export { type BudgetRequest, convert, type PublishRequest, publishStep, type StepContext } from './pipeline/index.js';
export {
  type Budget,
  configPlanSource,
  hubPlanSource,
  inferenceText,
  localPlanSource,
  makePlan,
  measuredGflops,
  type Plan,
  type PlanSource,
  parseBudget,
  type Scale,
  scaleAt,
} from './plan/index.js';
export { type PreparedDocument, preparedDocuments } from './prepare/index.js';
export { type CardInputs, cardFromManifest } from './release/index.js';
export { type RemapOptions, type RemapReport, remap, toBltName, toLlamaName } from './remap/index.js';
export { byteTokenizerFiles, loadTokenizer, type SourceTokenizer, tokenizerFromGguf } from './tokenizer/index.js';
// Progress reports, as `convert` writes them.
export { createReporter, type Reporter } from './ui/index.js';
export { toolVersion } from './version.js';
