/** @module The patch size that a recipe aims for, where it does not state one. */
import type { Recipe } from './schema.js';

/** SmolLM2-135M's tokenizer on English technical text, measured (3.50); Llama 3's, of a larger vocabulary, has a little more. */
export const BYTES_PER_TOKEN = 3.5;

/** Plain entropy: the paper's. Aligned: a patch is mostly one token. Mean bytes of a patch. */
const DEFAULTS: Readonly<Record<Recipe['patcher']['kind'], number>> = { entropy: 4.5, aligned: BYTES_PER_TOKEN };

/** Mean bytes of a patch: as stated, else what the patcher's kind suggests before anything is measured. */
export function targetBytesPerPatch({ kind, target_bytes_per_patch }: Recipe['patcher']): number {
  return target_bytes_per_patch ?? DEFAULTS[kind];
}
