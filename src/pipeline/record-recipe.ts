/** @module Stores the resolved recipe in the conversion folder, so that the conversion can be reproduced. A stage calls it when it starts. */
import { join } from 'node:path';
import type { Conversion } from '../conversion/index.js';
import { digestOf, writeFileAtomic } from '../fs/index.js';
import { type Recipe, recipeToYaml } from '../recipe/index.js';

/** Writes `recipe.yaml` with every default resolved, and records its name and digest in the manifest. */
export async function recordRecipe(conversion: Conversion, recipe: Recipe): Promise<void> {
  await writeFileAtomic(join(conversion.folder, 'recipe.yaml'), recipeToYaml(recipe));
  await conversion.update((manifest) => ({ ...manifest, recipe: { name: recipe.name, sha256: digestOf(recipe) } }));
}
