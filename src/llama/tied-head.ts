/** @module Whether the head of a source is its embedding: what the file holds decides, as in transformers 5, not what the config says. */
import { type TensorReader, tensorBytes } from '../safetensors/index.js';
import type { LlamaConfig } from './config.js';

export const EMBEDDING = 'model.embed_tokens.weight';
export const HEAD = 'lm_head.weight';

/** Bytes of each tensor that are compared at a time. */
const PIECE_BYTES = 16 * 2 ** 20;

/** Whether two tensors hold the same bytes; reads no further than the first difference. */
async function areEqual(reader: TensorReader, one: string, other: string): Promise<boolean> {
  const [a, b] = [reader.tensors.get(one)!, reader.tensors.get(other)!];
  if (a.dtype !== b.dtype || a.shape.join() !== b.shape.join()) return false;
  const size = tensorBytes(a);
  for (let offset = 0; offset < size; offset += PIECE_BYTES) {
    const range = { offset, length: Math.min(PIECE_BYTES, size - offset) };
    const [left, right] = [await reader.read(one, range), await reader.read(other, range)];
    if (Buffer.compare(left, right) !== 0) return false;
  }
  return true;
}

/**
 * Only a config that ties them can make the head the embedding; it does so where the file holds one of the two, or both with the same
 * numbers. With numbers of its own the head counts (modeling_utils.py, tie_weights).
 */
export async function isHeadTied(config: LlamaConfig, reader: TensorReader): Promise<boolean> {
  if (!config.tiedEmbeddings) return false;
  const hasBoth = reader.tensors.has(EMBEDDING) && reader.tensors.has(HEAD);
  return !hasBoth || (await areEqual(reader, EMBEDDING, HEAD));
}

/**
 * Names of a file that holds a tied pair under the head's name alone: transformers then takes it for the embedding, too.
 * @param names stored names by the model's.
 */
export function withTiedEmbedding(names: ReadonlyMap<string, string>, config: LlamaConfig): Map<string, string> {
  const head = names.get(HEAD);
  const renamed = new Map(names);
  if (!config.tiedEmbeddings || head === undefined || names.has(EMBEDDING)) return renamed;
  renamed.delete(HEAD);
  return renamed.set(EMBEDDING, head);
}
