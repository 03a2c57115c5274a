/** @module Measures the bits per byte of a BLT and of its source on the same texts. */
import { type BltConfig, bitsPerByte } from '../blt/index.js';
import type { LlamaModel, Params } from '../model/index.js';
import type { SourceTokenizer } from '../tokenizer/index.js';
import { scoreTexts } from './score.js';
import { sourceBitsOfDocuments } from './source-bits-of-documents.js';

export interface BitsPerByte {
  readonly bitsPerByte: number;
  readonly byteCount: number;
}

/** Maximum positions per batch, which bounds memory whatever the lengths of the texts. */
const BATCH_POSITIONS = 8192;

function total(values: Iterable<number>): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}

/** Groups texts so that each padded batch stays within the maximum, unless one text exceeds it. */
function* groups(texts: readonly Uint8Array[]): Generator<Uint8Array[]> {
  let group: Uint8Array[] = [];
  let longest = 0;
  for (const text of texts) {
    longest = Math.max(longest, text.length + 1);
    if (group.length > 0 && longest * (group.length + 1) > BATCH_POSITIONS) {
      yield group;
      group = [];
      longest = text.length + 1;
    }
    group.push(text);
  }
  if (group.length > 0) yield group;
}

/** Measures a BLT on texts, each after its own BOS, segmented by the BLT's own patcher. The patches of BOS are not counted. */
export async function bltBitsPerByte(
  params: Params,
  config: BltConfig,
  texts: readonly Uint8Array[],
): Promise<BitsPerByte & { readonly bytesPerPatch: number }> {
  let [nats, byteCount, patches] = [0, 0, 0];
  for (const group of groups(texts)) {
    for (const { nllNats, patchLengths } of scoreTexts(params, config, group)) {
      nats += total(nllNats);
      byteCount += nllNats.length;
      patches += patchLengths.length - 1;
    }
    await new Promise(setImmediate);
  }
  return { bitsPerByte: bitsPerByte(nats, byteCount), byteCount, bytesPerPatch: byteCount / patches };
}

/**
 * Measures the source on texts that it reads whole. Each text is tokenised by the source's tokenizer and follows its start token, which is only
 * context, so that every token of the text is counted. A text that its tokens do not spell is left out.
 */
export async function llamaBitsPerByte(
  model: LlamaModel,
  tokenizer: SourceTokenizer,
  texts: readonly Uint8Array[],
): Promise<BitsPerByte & { readonly bytesPerToken: number }> {
  const found = await sourceBitsOfDocuments(model, tokenizer, texts, { window: Number.POSITIVE_INFINITY });
  const { bytes: byteCount, bitsPerByte: bits, bytesPerToken } = found;
  return { bitsPerByte: bits ?? Number.NaN, byteCount, bytesPerToken: bytesPerToken ?? Number.NaN };
}
