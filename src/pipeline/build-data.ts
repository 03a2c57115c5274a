/** @module Builds a store of text by the settings of a recipe. */
import { buildStore, type StoreManifest } from '../data/index.js';
import type { Recipe } from '../recipe/index.js';
import type { Reporter } from '../ui/index.js';
import { type DataPath, domainFiles } from './data-paths.js';

/** Decides which text is held out. */
export const splitSeed = ({ data, seed }: Recipe): number => data.seed ?? seed;

/** @throws as `buildStore` does; then `out` is not written */
export function buildData(
  paths: readonly DataPath[],
  out: string,
  { recipe, reporter, signal }: { readonly recipe: Recipe; readonly reporter: Reporter; readonly signal: AbortSignal },
): Promise<StoreManifest> {
  const { validation_fraction, text_key } = recipe.data;
  return buildStore({
    domains: domainFiles(paths, recipe),
    out,
    validationFraction: validation_fraction,
    textKey: text_key,
    seed: splitSeed(recipe),
    signal,
    onProgress: ({ path, bytes }) => reporter.progress({ done: bytes, unit: 'bytes', detail: path }),
  });
}
