/**
 * @module The tensors of the source that a BLT has no place for and distillation reads: its embeddings, final norm and head, by the names they
 * have among a run's parameters. Its layers are the latent global transformer's. Rows of tokens are in the order of their ranks.
 */
import { createVariable, gatherRows, tf, type Variable } from '../engine/index.js';
import type { LlamaSource } from '../llama/index.js';
import { loadParams } from './load-params.js';
import { type Params, param } from './params.js';

const EMBEDDING = 'source.embed_tokens.weight';
const NORM = 'source.norm.weight';
const HEAD = 'source.lm_head.weight';

/** Embedding table [V, Hg]. */
export const sourceEmbedding = (params: Params): tf.Tensor => param(params, EMBEDDING);

/** Weight of the final norm [Hg]. */
export const sourceNorm = (params: Params): tf.Tensor => param(params, NORM);

/** Head [V, Hg]: the embedding table where the two are tied. */
export const sourceHead = (params: Params): tf.Tensor => params.get(HEAD) ?? param(params, EMBEDDING);

/** What of the source is wanted. */
export type SourceTensors = readonly ('embedding' | 'head')[];

/** @param order the id at each rank. The caller disposes the variables. */
export async function loadSourceTensors(
  { reader, config }: LlamaSource,
  order: Int32Array,
  wanted: SourceTensors,
): Promise<Map<string, Variable>> {
  const loaded = new Map<string, Variable>();
  const load = async (name: string, from: string, sorted: boolean) => {
    const tensors = await loadParams(reader, [from]);
    const value = tensors.get(from)!;
    const ordered = sorted ? tf.tidy(() => gatherRows(value, tf.tensor1d(order, 'int32'))) : value;
    loaded.set(name, createVariable(ordered));
    tf.dispose([value, ordered]);
  };
  const tied = config.tiedEmbeddings;
  if (wanted.includes('embedding') || (wanted.includes('head') && tied))
    await load(EMBEDDING, 'model.embed_tokens.weight', true);
  if (wanted.includes('head')) {
    await load(NORM, 'model.norm.weight', false);
    if (!tied) await load(HEAD, 'lm_head.weight', true);
  }
  return loaded;
}
