/** @module What a byte of text costs a model and its source, part by part: operations, and weights read. Computed from the sizes, not timed. */
import {
  type BltConfig,
  bltTensors,
  forwardFlops,
  sourceForwardFlops,
  type TensorSpec,
  totalFlops,
} from '../blt/index.js';
import { type LlamaConfig, llamaTensors } from '../llama/index.js';
import { elementCount } from '../safetensors/index.js';

/** Bytes of a weight in memory when a model decodes in bfloat16. */
const WEIGHT_BYTES = 2;
/** The text's length, for what attention costs. */
const CONTEXT_BYTES = 2048;

/** What one part costs per byte of text. */
export interface PartCost {
  readonly part: string;
  /** Operations of matrix products (flops.ts says which). */
  readonly flops: number;
  /** Bytes of weights that decoding one sequence reads. Of an embedding it reads only rows, which are left out. */
  readonly weightBytes: number;
}

const sumOf = (tensors: readonly { readonly shape: readonly number[] }[]) =>
  tensors.reduce((sum, { shape }) => sum + elementCount(shape), 0);

/**
 * Whether a matrix is read once per patch instead of once per byte (flops.ts): patches query the bytes in the encoder; the decoder's bytes read
 * keys and values of patches and, if a patch is a single row, nothing but its output.
 */
function isPerPatch({ name, part }: TensorSpec, { crossAttnK }: BltConfig): boolean {
  if (part === 'global' || name.includes('patch_embedding_projection')) return true;
  if (!name.includes('cross_attn_layers')) return false;
  const isOfQueries = /\.(q|o)_proj\./.test(name);
  return part === 'encoder' ? isOfQueries : crossAttnK === 1 || !isOfQueries;
}

const isRead = ({ role, unused }: TensorSpec) => unused !== true && role === 'linear';

/** The parts of a BLT. @param bytesPerPatch mean, on which the share of the latent global transformer depends */
export function modelCosts(config: BltConfig, bytesPerPatch: number): PartCost[] {
  const tensors = bltTensors(config).filter(isRead);
  const flops = forwardFlops(config, { bytes: CONTEXT_BYTES, bytesPerPatch });
  return (['patcher', 'encoder', 'global', 'decoder', 'head'] as const).map((part) => {
    const own = tensors.filter((tensor) => tensor.part === part);
    const perPatch = sumOf(own.filter((tensor) => isPerPatch(tensor, config)));
    const weights = sumOf(own) - perPatch + perPatch / bytesPerPatch;
    return { part, flops: totalFlops(flops[part]), weightBytes: WEIGHT_BYTES * weights };
  });
}

/** The blocks and the head of a source. @param block the sizes of one of its blocks, which are those of the latent global transformer */
export function sourceCosts(
  config: LlamaConfig,
  block: Parameters<typeof sourceForwardFlops>[0],
  bytesPerToken: number,
): PartCost[] {
  const { vocabSize, hiddenSize } = config;
  const { blocks, head } = sourceForwardFlops(block, { vocabSize, tokens: CONTEXT_BYTES / bytesPerToken });
  const matrices = sumOf(llamaTensors(config).filter(({ shape }) => shape.length === 2));
  const headSize = vocabSize * hiddenSize;
  const embeddings = config.tiedEmbeddings ? headSize : 2 * headSize;
  const cost = (part: string, flops: number, weights: number) => ({
    part,
    flops: flops / bytesPerToken,
    weightBytes: (WEIGHT_BYTES * weights) / bytesPerToken,
  });
  return [cost('blocks', totalFlops(blocks), matrices - embeddings), cost('head', totalFlops(head), headSize)];
}

/** The parts together. */
export const totalCost = (parts: readonly PartCost[]): Omit<PartCost, 'part'> => ({
  flops: parts.reduce((sum, { flops }) => sum + flops, 0),
  weightBytes: parts.reduce((sum, { weightBytes }) => sum + weightBytes, 0),
});
