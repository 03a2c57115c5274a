/** @module Measures where a patcher cuts texts, and the source's bits per byte with these patches and with its own tokens. */
import { type BltConfig, patchIds, patchStarts } from '../blt/index.js';
import { type LlamaModel, type Params, patcherOutput } from '../model/index.js';
import {
  type Alignment,
  byteReadings,
  CUT_LATE,
  canonicalTexts,
  canonicalTokens,
  type SourceReader,
  sourceChunks,
  textBatch,
  textCuts,
  tokenEnds,
} from '../patching/index.js';
import { byteModelNats } from './patcher-bits.js';
import { type SegmentationReport, type SegmentedText, segmentationReport } from './segmentation-report.js';
import { sourceByteNats, type TokenReading } from './source-byte-bits.js';

export interface MeasuredPatcher {
  readonly params: Params;
  readonly config: BltConfig;
  /** How the patcher was aligned with the source's tokens; null if it was not. */
  readonly alignment: Alignment | null;
}

export interface MeasuredSource {
  readonly model: LlamaModel;
  readonly reader: SourceReader;
}

/** A text as its canonical tokens. A space that the tokenizer puts before every text is part of the first token, but not of the text. */
function canonicalReading(text: Uint8Array, { tokenizer, vocabulary, special }: SourceReader): TokenReading {
  const tokens = [special.start];
  const tokenOfByte = new Int32Array(text.length);
  const offsetInToken = new Int32Array(text.length);
  let at = 0;
  for (const { id, added, length } of canonicalTokens(text, tokenizer) ?? []) {
    for (let i = 0; i < length; i++) offsetInToken[at + i] = added + i;
    tokenOfByte.fill(tokens.length, at, at + length);
    tokens.push(vocabulary.rankOf(id));
    at += length;
  }
  return { tokens, tokenOfByte, offsetInToken };
}

function measure(text: Uint8Array, patcher: MeasuredPatcher, { model, reader }: MeasuredSource): SegmentedText {
  const { params, config, alignment } = patcher;
  const output = patcherOutput(params, config, textBatch(text));
  const cuts = textCuts(output, config.patching.threshold, alignment);
  const count = text.length + 1;
  const starts = patchStarts(output.entropies, config.patching.threshold);
  const late = (position: number) => cuts[position - 1] === CUT_LATE;
  const chunks = sourceChunks({ bytes: text, count, starts, late }, reader.tokensOf, reader.special);
  const nats = (reading: TokenReading) => sourceByteNats(model, reader.vocabulary, reading);
  return {
    bytes: text,
    ends: tokenEnds(text, false, reader.tokenizer).ends,
    cuts,
    patcherNats: byteModelNats(params, config, text),
    source: {
      canonical: nats(canonicalReading(text, reader)),
      inPatches: nats(chunks),
      readings: byteReadings(chunks, patchIds(starts, count).encoder),
    },
  };
}

/**
 * Measures a patcher and its source on texts. The engine must be started.
 * @param texts valid UTF-8, each read from its own beginning; those that the source's tokens do not spell are left out
 * @param options.signal checked between texts
 * @throws the signal's reason
 */
export function measureSegmentation(
  patcher: MeasuredPatcher,
  source: MeasuredSource,
  texts: readonly Uint8Array[],
  options: { readonly signal: AbortSignal; readonly onText?: (done: number) => void },
): SegmentationReport {
  const measured = canonicalTexts(texts, source.reader.tokenizer).map((text, i) => {
    options.signal.throwIfAborted();
    const result = measure(text, patcher, source);
    options.onText?.(i + 1);
    return result;
  });
  return segmentationReport(measured);
}
