/** @module Measurements: bits per byte, scores, segmentation, encoder fidelity, the self-check of an export. */
export { bitsOfDocuments, type DocumentBits } from './bits-of-documents.js';
export { type BitsPerByte, bltBitsPerByte, llamaBitsPerByte } from './bits-per-byte.js';
export { type EvaluatedKind, type Evaluation, evaluateModel } from './evaluate-model.js';
export { type EvaluatePatcherOptions, evaluatePatcher, type KindReport, measurePatcher } from './evaluate-patcher.js';
export { measureEncoder } from './measure-encoder.js';
export { type MeasuredPatcher, type MeasuredSource, measureSegmentation } from './measure-segmentation.js';
export { byteModelBitsPerByte } from './patcher-bits.js';
export { type ByteScores, scoreTexts } from './score.js';
export { openScorer, type Scorer } from './scorer.js';
export { segmentationMetrics } from './segmentation-metrics.js';
export {
  type SegmentationReport,
  type SegmentedText,
  type SourceNats,
  segmentationReport,
} from './segmentation-report.js';
export { type SelfCheck, selfCheck } from './self-check.js';
export type { SourceBits } from './source-bits-of-documents.js';
export { heldOutTexts, kindsOf, textsOf } from './texts.js';
