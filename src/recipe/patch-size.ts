/** @module The default target patch size of a recipe. */
import type { Recipe } from './schema.js';

/** Measured for SmolLM2-135M's tokenizer on English technical text (3.50); Llama 3's larger vocabulary gives slightly more. */
export const BYTES_PER_TOKEN = 3.5;

/** Mean bytes per patch. `entropy` uses the paper's value; with `aligned`, most patches are one token. */
const DEFAULTS: Readonly<Record<Recipe['patcher']['kind'], number>> = { entropy: 4.5, aligned: BYTES_PER_TOKEN };

/** Mean bytes per patch: the recipe's value, else the default for the patcher's kind, before anything is measured. */
export function targetBytesPerPatch({ kind, target_bytes_per_patch }: Recipe['patcher']): number {
  return target_bytes_per_patch ?? DEFAULTS[kind];
}
