/**
 * @module The tensors of the source that distillation reads but a BLT does not have: embeddings, final norm and head, under their names among
 * a run's parameters. The source's layers are in the latent global transformer. Rows of tokens are sorted by rank.
 */
import { createVariable, gatherRows, tf, type Variable } from '../engine/index.js';
import type { LlamaSource } from '../llama/index.js';
import { loadParams } from './load-params.js';
import { type Params, param } from './params.js';

const EMBEDDING = 'source.embed_tokens.weight';
const NORM = 'source.norm.weight';
const HEAD = 'source.lm_head.weight';

/** The source's embedding table [V, Hg]. */
export const sourceEmbedding = (params: Params): tf.Tensor => param(params, EMBEDDING);

/** The weight of the source's final norm [Hg]. */
export const sourceNorm = (params: Params): tf.Tensor => param(params, NORM);

/** The source's head [V, Hg]: the embedding table if the two are tied. */
export const sourceHead = (params: Params): tf.Tensor => params.get(HEAD) ?? param(params, EMBEDDING);

/** Which of the source's tensors to load; the head comes with the final norm. */
export type SourceTensors = readonly ('embedding' | 'head')[];

/** Loads the source's tensors, by their names among a run's parameters. The caller disposes them. @param order the token id at each rank */
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
