/** @module Measurements: bits per byte, scores, segmentation, what each part loses, the self-check of an export. */
export { type BitsPerByte, bltBitsPerByte, llamaBitsPerByte } from './bits-per-byte.js';
export { modelCosts, type PartCost, sourceCosts, totalCost } from './costs.js';
export {
  cutCounts,
  type TokenAgreement,
  tokenAgreement,
} from './cut-quality.js';
export { type EvaluatePatcherOptions, evaluatePatcher, type KindReport, measurePatcher } from './evaluate-patcher.js';
export { type ChosenSuite, type EvaluateOptions, evaluatePart, evaluateSuites } from './evaluate-suites.js';
export { openExactNats } from './exact-byte-nats.js';
export { measureParts } from './measure-parts.js';
export { type MeasuredPatcher, type MeasuredSource, measureSegmentation } from './measure-segmentation.js';
export { byteModelBitsPerByte } from './patcher-bits.js';
export { openBltModel } from './readers/blt-model.js';
export { modelDigest } from './run/identity.js';
export { readResults } from './run/read-results.js';
export { type ResultDocument, resultSchema } from './run/result-document.js';
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
export { sourceByteNats, type TokenReading } from './source-byte-bits.js';
export { SUITES } from './suites/index.js';
export { heldOutOpenings, heldOutTexts, kindsOf, textsOf } from './texts.js';
