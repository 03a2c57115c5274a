/** @module Recipes: one YAML file per conversion. */
export { withoutAddedKeys } from './added-keys.js';
export { type DataSource, dataSource, datasetId, languageCode } from './data-source.js';
export { recipeKeyTable } from './key-table.js';
export {
  type DefaultOptions,
  type LoadOptions,
  listRecipes,
  loadRecipe,
  loadRecipeOrDefault,
  recipeFor,
  recipeToYaml,
} from './load.js';
export { localSizesOf } from './local-sizes.js';
export { BYTES_PER_TOKEN, targetBytesPerPatch } from './patch-size.js';
export { underFirstNames } from './renamed-keys.js';
export {
  type Recipe,
  type RecipeStage,
  recipeJsonSchema,
  recipeSchema,
  type StageKind,
  type StageOf,
  type TrainingStage,
} from './schema.js';
