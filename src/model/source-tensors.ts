/**
 * @module The tensors of the source that distillation reads: embeddings, final norm and head, under their names among a run's parameters, and
 * its layers where the latent global transformer no longer has them. Rows of tokens are sorted by rank.
 */
import { type BltConfig, bltTensors } from '../blt/index.js';
import { createVariable, gatherRows, tf, type Variable } from '../engine/index.js';
import type { LlamaSource } from '../llama/index.js';
import type { TensorReader } from '../safetensors/index.js';
import { GLOBAL_PREFIX } from './blt.js';
import { loadFrozen, loadParams } from './load-params.js';
import { type Params, param } from './params.js';
import { type BlockContext, blocks } from './transformer.js';

const PREFIX = 'source';

const EMBEDDING = 'source.embed_tokens.weight';
const NORM = 'source.norm.weight';
const HEAD = 'source.lm_head.weight';

/** The source's embedding table [V, Hg]. */
export const sourceEmbedding = (params: Params): tf.Tensor => param(params, EMBEDDING);

/** The weight of the source's final norm [Hg]. */
export const sourceNorm = (params: Params): tf.Tensor => param(params, NORM);

/** The source's head [V, Hg]: the embedding table if the two are tied. */
export const sourceHead = (params: Params): tf.Tensor => params.get(HEAD) ?? param(params, EMBEDDING);

/**
 * The source's layers on vectors [rows * length, Hg]: those that were loaded for it, otherwise those of the latent global transformer, which are
 * the source's until they are trained. No final norm.
 */
export function sourceLayers(params: Params, vectors: tf.Tensor, context: BlockContext): tf.Tensor {
  const isLoaded = params.has(`${PREFIX}.layers.0.input_layernorm.weight`);
  return blocks(vectors, params, isLoaded ? PREFIX : GLOBAL_PREFIX, context);
}

/**
 * Loads the source's layers for `sourceLayers`. Matrices stored in bfloat16 stay so. The caller disposes them.
 * @param remapped the remapped model, whose latent global transformer has the source's layers
 * @throws ByteifyError if a tensor is missing or cannot be read.
 */
export async function loadSourceLayers(remapped: TensorReader, config: BltConfig): Promise<Map<string, Variable>> {
  const loaded = new Map<string, Variable>();
  for (const spec of bltTensors(config))
    if (spec.part === 'global') loaded.set(spec.name.replace(GLOBAL_PREFIX, PREFIX), await loadFrozen(remapped, spec));
  return loaded;
}

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
