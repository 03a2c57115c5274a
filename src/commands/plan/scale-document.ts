/** @module Sizes and patch sizes at a budget as the `--json` document: snake_case, units in names. */
import type { GlobalSize, Scale } from '../../plan/index.js';

const sizeDocument = (size: GlobalSize) => ({
  hidden_size: size.hiddenSize,
  layers: size.layers,
  heads: size.heads,
  kv_heads: size.kvHeads,
  intermediate_size: size.intermediateSize,
  global_parameters: size.parameters,
  is_source: size.isSource,
});

/** A size without `bytes_per_patch` fits the budget at any patch size, or at none. */
export const scaleDocument = (scale: Scale, { model }: { model: string }) => ({
  model,
  budget_flops_per_byte: scale.budgetFlopsPerByte,
  local_flops_per_byte: scale.localFlopsPerByte,
  text_bytes: scale.textBytes,
  recipe: { bytes_per_patch: scale.own.bytesPerPatch, flops_per_byte: scale.own.flopsPerByte },
  sizes: scale.sizes.map(({ size, bytesPerPatch }) => ({
    ...sizeDocument(size),
    bytes_per_patch: typeof bytesPerPatch === 'number' ? bytesPerPatch : null,
    fits_any_patch_size: bytesPerPatch === 'any',
  })),
  patch_sizes: scale.patches.map(({ bytesPerPatch, largest }) => ({
    bytes_per_patch: bytesPerPatch,
    largest: largest === null ? null : sizeDocument(largest),
  })),
});
