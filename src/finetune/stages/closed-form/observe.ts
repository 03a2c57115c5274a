/** @module Collects what the encoder is fitted to: the tokens of the vocabulary, and those at the ends of patches in the training text. */
import { requireFields, type SourceReader } from '../../../patching/index.js';
import { vocabularyTexts } from './fit-tables.js';
import { type FittingText, fittingBatches, OBSERVED_FIELDS, observedTexts } from './fitting-text.js';
import type { Observations } from './observations.js';

/** What is counted while the text is read, from which floating-point operations follow. */
export interface ObservedCounts {
  readonly bytes: number;
  readonly bytesPerPatch: number;
  readonly bytesPerToken: number;
}

/**
 * @param vectors one row per token [tokens, content]. @param skipBytes text at the beginning that is left out: the later fits use it.
 * @param bytes text to read after it. @param vocabularyWeight the weight of a token of the vocabulary, beside 1 for one in the text.
 */
export async function observe(params: {
  readonly text: FittingText;
  readonly reader: SourceReader;
  readonly vectors: Float32Array;
  readonly skipBytes: number;
  readonly bytes: number;
  readonly vocabularyWeight: number;
  readonly into: Observations;
}): Promise<ObservedCounts> {
  const { text, reader, vectors, skipBytes, vocabularyWeight, into } = params;
  for (const entry of vocabularyTexts(reader, vectors, vocabularyWeight)) await into.add(entry);
  let [read, bytes, patches, tokens] = [0, 0, 0, 0];
  for await (const batch of fittingBatches(text, skipBytes + params.bytes, ['encoder'])) {
    read += batch.bytes;
    if (read <= skipBytes) continue;
    for (const micro of batch.batches)
      for (const seen of observedTexts(requireFields(micro, OBSERVED_FIELDS), vectors)) await into.add(seen);
    bytes += batch.bytes;
    patches += batch.patchCount;
    tokens += batch.tokenCount;
  }
  return { bytes, bytesPerPatch: bytes / patches, bytesPerToken: bytes / tokens };
}
