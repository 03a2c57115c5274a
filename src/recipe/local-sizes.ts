/** @module Sizes of the local models: stated in the recipe, or derived from the source. */
import { deriveLocalSizes, type LocalSizes, type SourceSizes } from '../blt/index.js';
import { UsageError } from '../errors.js';
import type { Recipe } from './schema.js';

/**
 * Stated values win. The others are derived; a stated width also determines the derived FFN width and head count.
 * @throws UsageError if the heads do not divide the width into even parts.
 */
export function localSizesOf(source: SourceSizes, recipe: Pick<Recipe, 'blt' | 'patcher' | 'stages'>): LocalSizes {
  const { blt, patcher, stages } = recipe;
  const width = blt.hidden_size;
  const stated = {
    closedForm: stages.some(({ kind }) => kind === 'closed-form'),
    ...(width !== undefined && { hiddenSize: width }),
    ...(blt.cross_attn_k !== undefined && { crossAttnK: blt.cross_attn_k }),
  };
  const derived = deriveLocalSizes(source, {
    ...stated,
    ...(patcher.hidden_size !== undefined && { patcherHiddenSize: patcher.hidden_size }),
  });
  const sizes: LocalSizes = {
    crossAttnK: derived.crossAttnK,
    hiddenSize: derived.hiddenSize,
    heads: blt.heads ?? derived.heads,
    encoderLayers: blt.encoder_layers ?? derived.encoderLayers,
    decoderLayers: blt.decoder_layers ?? derived.decoderLayers,
    intermediateSize: blt.intermediate_size ?? derived.intermediateSize,
    hashSizes: blt.hash_sizes ?? derived.hashSizes,
    hashFunctions: blt.hash_functions ?? derived.hashFunctions,
    hashVocab: blt.hash_vocab ?? derived.hashVocab,
    window: blt.window ?? derived.window,
    patcher: {
      hiddenSize: derived.patcher.hiddenSize,
      layers: patcher.layers ?? derived.patcher.layers,
      heads: patcher.heads ?? derived.patcher.heads,
      intermediateSize: patcher.intermediate_size ?? derived.patcher.intermediateSize,
      window: patcher.window ?? derived.patcher.window,
    },
  };
  refuseUneven('blt', sizes.hiddenSize, sizes.heads);
  refuseUneven('patcher', sizes.patcher.hiddenSize, sizes.patcher.heads);
  return sizes;
}

function refuseUneven(section: string, width: number, heads: number): void {
  if (width % (2 * heads) === 0) return;
  throw new UsageError(`${section}.heads: ${heads} heads do not divide a width of ${width} into even parts.`, {
    hint: 'Rotary embeddings rotate pairs, so width / heads must be an even number.',
  });
}
