/** @module Whether a source's head is tied to its embedding. As in transformers 5, the file's contents decide, not the config alone. */
import { type TensorReader, tensorBytes } from '../safetensors/index.js';
import type { LlamaConfig } from './config.js';

export const EMBEDDING = 'model.embed_tokens.weight';
export const HEAD = 'lm_head.weight';

/** Bytes of each tensor compared at a time. */
const CHUNK_BYTES = 16 * 2 ** 20;

/** Whether two tensors contain the same bytes. Reading stops at the first difference. */
async function areEqual(reader: TensorReader, one: string, other: string): Promise<boolean> {
  const [a, b] = [reader.tensors.get(one)!, reader.tensors.get(other)!];
  if (a.dtype !== b.dtype || a.shape.join() !== b.shape.join()) return false;
  const size = tensorBytes(a);
  for (let offset = 0; offset < size; offset += CHUNK_BYTES) {
    const range = { offset, length: Math.min(CHUNK_BYTES, size - offset) };
    const [left, right] = [await reader.read(one, range), await reader.read(other, range)];
    if (Buffer.compare(left, right) !== 0) return false;
  }
  return true;
}

/**
 * Whether the head is the embedding. The config must tie them, and the file must contain only one of the two, or both with equal values.
 * If the file contains a head with different values, that head is used (modeling_utils.py, tie_weights).
 */
export async function isHeadTied(config: LlamaConfig, reader: TensorReader): Promise<boolean> {
  if (!config.tiedEmbeddings) return false;
  const hasBoth = reader.tensors.has(EMBEDDING) && reader.tensors.has(HEAD);
  return !hasBoth || (await areEqual(reader, EMBEDDING, HEAD));
}

/**
 * If a file contains a tied pair only under the head's name, adds the embedding's name for it, as transformers does.
 * @param names stored names by the model's names.
 */
export function withTiedEmbedding(names: ReadonlyMap<string, string>, config: LlamaConfig): Map<string, string> {
  const head = names.get(HEAD);
  const renamed = new Map(names);
  if (!config.tiedEmbeddings || head === undefined || names.has(EMBEDDING)) return renamed;
  renamed.delete(HEAD);
  return renamed.set(EMBEDDING, head);
}
