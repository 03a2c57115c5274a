/** @module Measures the bits per byte of a BLT and of its source on the same texts. */
import { type BltConfig, bitsPerByte } from '../blt/index.js';
import { type LlamaModel, llamaLosses, type Params } from '../model/index.js';
import { startTokenOf } from '../patching/index.js';
import type { SourceTokenizer } from '../tokenizer/index.js';
import { scoreTexts } from './score.js';

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
 * The source's tokens of a text; null if they do not spell it: `<unk>` is easier to predict than the bytes that it replaces.
 * @param text valid UTF-8
 */
function tokensThatSpell(tokenizer: SourceTokenizer, text: Uint8Array): readonly number[] | null {
  const decoded = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(text);
  const ids = tokenizer.encode(decoded);
  return tokenizer.spells(decoded, ids) ? ids : null;
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
  const start = startTokenOf(tokenizer, model.config);
  let [nats, byteCount, tokens] = [0, 0, 0];
  for (const text of texts) {
    const ids = tokensThatSpell(tokenizer, text);
    if (ids === null) continue;
    nats += total(llamaLosses(model, Int32Array.from([start, ...ids])));
    byteCount += text.length;
    tokens += ids.length;
    await new Promise(setImmediate);
  }
  return { bitsPerByte: bitsPerByte(nats, byteCount), byteCount, bytesPerToken: byteCount / tokens };
}
